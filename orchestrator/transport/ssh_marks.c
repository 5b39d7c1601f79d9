#include "transport/ssh_marks.h"

#include <stdio.h>
#include <string.h>

void ssh_marks_init(struct ssh_marks *marks, const char *nonce, const struct ssh_marks_sink *sink, void *arg)
{
	*marks = (struct ssh_marks){.sink = sink, .arg = arg};
	marks->prefix_len = (size_t)snprintf(marks->prefix, sizeof(marks->prefix), "\n@%s ", nonce);
}

void ssh_marks_raw(struct ssh_marks *marks, size_t len)
{
	marks->raw_left = len;
}

static int give_text(struct ssh_marks *marks, const char *bytes, size_t len)
{
	return len ? marks->sink->text(marks, bytes, len) : 0;
}

/* Text up to the next newline, which may begin a mark. */
static int take_text(struct ssh_marks *marks, const char *bytes, size_t len, size_t *used)
{
	const char *newline = memchr(bytes, '\n', len);
	size_t text = newline ? (size_t)(newline - bytes) : len;

	marks->matched = newline ? 1 : 0;
	*used = text + (newline ? 1 : 0);
	return give_text(marks, bytes, text);
}

/* One byte while the prefix is being matched. Only a newline can begin it anew, since it holds just one. */
static int take_prefix(struct ssh_marks *marks, char c)
{
	size_t held = marks->matched;
	int r;

	if (c == marks->prefix[held]) {
		marks->matched++;
		return 0;
	}
	marks->matched = 0;
	r = give_text(marks, marks->prefix, held);
	if (r)
		return r;
	if (c == '\n') {
		marks->matched = 1;
		return 0;
	}
	return give_text(marks, &c, 1);
}

static int take_words(struct ssh_marks *marks, char c)
{
	if (c != '\n') {
		if (marks->words_len < sizeof(marks->words) - 1)
			marks->words[marks->words_len++] = c;
		return 0;
	}
	if (marks->words_len && marks->words[marks->words_len - 1] == '\r')
		marks->words_len--;
	marks->words[marks->words_len] = '\0';
	marks->words_len = 0;
	marks->matched = 0;
	return marks->sink->mark(marks, marks->words);
}

int ssh_marks_feed(struct ssh_marks *marks, const char *bytes, size_t len)
{
	int r = 0;

	while (len && !r) {
		size_t used = 1;

		if (marks->raw_left) {
			used = len < marks->raw_left ? len : marks->raw_left;
			marks->raw_left -= used;
			r = marks->sink->raw(marks, bytes, used);
		} else if (marks->matched == marks->prefix_len) {
			r = take_words(marks, *bytes);
		} else if (marks->matched) {
			r = take_prefix(marks, *bytes);
		} else {
			r = take_text(marks, bytes, len, &used);
		}
		bytes += used;
		len -= used;
	}
	return r;
}

int ssh_marks_end(struct ssh_marks *marks)
{
	size_t held = marks->matched;

	marks->matched = 0;
	if (held < marks->prefix_len)
		return give_text(marks, marks->prefix, held);
	return 0;
}
