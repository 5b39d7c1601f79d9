#include "agents/facts.h"

#include "base/alloc.h"

#include <stdarg.h>

/* The place of a key, or where it would be put. */
static size_t place_of(const struct facts *f, const char *key, bool *found)
{
	size_t low = 0, high = f->n;

	*found = false;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(f->at[mid].key, key);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Values may be files with credentials in them. */
static void fact_release(struct fact *fact)
{
	free(fact->key);
	mem_free_secret(fact->value, fact->len);
}

void facts_release(struct facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		fact_release(&f->at[i]);
	free(f->at);
	*f = (struct facts){ 0 };
}

void facts_copy(struct facts *to, const struct facts *from)
{
	struct facts copy = { 0 };

	for (size_t i = 0; i < from->n; i++)
		facts_set(&copy, from->at[i].key, from->at[i].value, from->at[i].len);
	facts_release(to);
	*to = copy;
}

static char *value_copy(const void *value, size_t len)
{
	char *copy = mem_new(len + 1, 1);

	if (len)
		memcpy(copy, value, len);
	return copy;
}

void facts_set(struct facts *f, const char *key, const void *value, size_t len)
{
	bool found;
	size_t at = place_of(f, key, &found);
	struct fact fresh = { .value = value_copy(value, len), .len = len };

	if (found) {
		mem_free_secret(f->at[at].value, f->at[at].len);
		f->at[at].value = fresh.value;
		f->at[at].len = len;
		return;
	}
	fresh.key = str_dup(key);
	GROW_FOR_ONE(f->at, f->n);
	memmove(&f->at[at + 1], &f->at[at], (f->n - at) * sizeof(*f->at));
	f->at[at] = fresh;
	f->n++;
}

void facts_set_text(struct facts *f, const char *key, const char *text)
{
	facts_set(f, key, text, strlen(text));
}

void facts_setf(struct facts *f, const char *key, const char *fmt, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	facts_set_text(f, key, text);
	str_free_secret(text);
}

void facts_unset(struct facts *f, const char *key)
{
	bool found;
	size_t at = place_of(f, key, &found);

	if (!found)
		return;
	fact_release(&f->at[at]);
	memmove(&f->at[at], &f->at[at + 1], (f->n - at - 1) * sizeof(*f->at));
	f->n--;
}

const struct fact *facts_get(const struct facts *f, const char *key)
{
	bool found;
	size_t at = place_of(f, key, &found);

	return found ? &f->at[at] : NULL;
}

const char *facts_text(const struct facts *f, const char *key, const char *otherwise)
{
	const struct fact *fact = facts_get(f, key);

	return fact ? fact->value : otherwise;
}

bool facts_is(const struct facts *f, const char *key, const char *text)
{
	const struct fact *fact = facts_get(f, key);

	return fact && fact->len == strlen(text) && memcmp(fact->value, text, fact->len) == 0;
}
