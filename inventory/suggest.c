#include "inventory/suggest.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdbool.h>

#define WORD_MAX 64 /* longer ones get no suggestion */

static int folded(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static bool same(char a, char b)
{
	return folded(a) == folded(b);
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment, three rows at a time. */
size_t edit_distance(const char *a, const char *b, size_t limit)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > WORD_MAX || b_len > WORD_MAX || (a_len > b_len ? a_len - b_len : b_len - a_len) > limit)
		return limit + 1;
	for (size_t j = 0; j <= b_len; j++) {
		before[j] = 0;
		last[j] = j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		size_t *free_row = before;
		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + !same(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		before = last;
		last = now;
		now = free_row;
	}
	return last[b_len];
}

void suggestion_offer(struct suggestion *s, const char *name)
{
	size_t longer = strlen(s->word) > strlen(name) ? strlen(s->word) : strlen(name);
	size_t limit = longer < 3 ? 1 : longer / 3;
	size_t distance = edit_distance(s->word, name, limit);

	if (distance > limit || distance >= longer || (s->best && distance >= s->distance))
		return;
	s->best = name;
	s->distance = distance;
}

const char *suggest(const char *word, const char *const *names, size_t n)
{
	struct suggestion s = { .word = word };

	for (size_t i = 0; i < n; i++)
		suggestion_offer(&s, names[i]);
	return s.best;
}
