#include "agents/assess.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <stdarg.h>

const char *assess_state_name(enum assess_state state)
{
	switch (state) {
	case ASSESS_OLD:
		return "old";
	case ASSESS_NEW:
		return "new";
	case ASSESS_PARTIAL:
		return "partial";
	case ASSESS_DRIFT:
		return "drift";
	case ASSESS_NOT_APPLICABLE:
		return "not-applicable";
	case ASSESS_PERSON:
		return "person";
	}
	abort();
}

static void change_release(struct change *c)
{
	for (size_t i = 0; i < c->edits_n; i++) {
		free(c->edits[i].old_bytes);
		free(c->edits[i].new_bytes);
	}
	free(c->edits);
	free(c->item);
	free(c->what);
	free(c->old_line);
	free(c->new_line);
}

void assessment_release(struct assessment *a)
{
	for (size_t i = 0; i < a->changes_n; i++)
		change_release(&a->changes[i]);
	for (size_t i = 0; i < a->notes_n; i++)
		free(a->notes[i]);
	free(a->changes);
	free(a->notes);
	*a = (struct assessment){ 0 };
}

void assessment_set(struct assessment *a, enum assess_state state, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->text, sizeof(a->text), fmt, args);
	va_end(args);
	utf8_printable(a->text);
	a->state = state;
}

void assessment_note(struct assessment *a, const char *fmt, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	utf8_printable(text);
	GROW_FOR_ONE(a->notes, a->notes_n);
	a->notes[a->notes_n++] = text;
}

static char *bytes_copy(const void *bytes, size_t len)
{
	char *copy = mem_new(len + 1, 1);

	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

/* The lines that [offset, offset + len) touches, without the last one's end. */
static char *lines_of(const char *text, size_t text_len, size_t offset, size_t len)
{
	size_t start = offset, end = offset + len;

	while (start > 0 && text[start - 1] != '\n')
		start--;
	while (end < text_len && text[end] != '\n')
		end++;
	if (end > start && text[end - 1] == '\r')
		end--;
	return bytes_copy(text + start, end - start);
}

static long line_number(const char *text, size_t offset)
{
	long line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static void add_edit(struct change *c, const char *old, size_t offset, size_t old_len, const void *new_bytes,
		     size_t new_len)
{
	GROW_FOR_ONE(c->edits, c->edits_n);
	c->edits[c->edits_n++] = (struct edit){
		.offset = offset,
		.old_bytes = bytes_copy(old + offset, old_len),
		.old_len = old_len,
		.new_bytes = bytes_copy(new_bytes, new_len),
		.new_len = new_len,
	};
}

/* The lines of the spots, as they were, or in the text after the change, where each is new_len long and has moved. */
static char *lines_of_spots(const char *text, size_t text_len, const struct change_spot *spots, size_t n, size_t new_len, bool after)
{
	struct buf out = BUF_INIT;
	size_t moved = 0, shown_end = 0;
	int shown = 0;

	for (size_t i = 0; i < n; i++) {
		size_t offset = spots[i].offset + (after ? moved : 0), len = after ? new_len : spots[i].len;
		char *line;

		moved += new_len - spots[i].len; /* wraps, and back */
		if (i > 0 && offset < shown_end)
			continue; /* on the line that is shown already */
		line = lines_of(text, text_len, offset, len);
		if (++shown > CHANGE_LINES_SHOWN)
			buf_adds(&out, shown == CHANGE_LINES_SHOWN + 1 ? " ⏎ …" : "");
		else
			buf_addf(&out, "%s%s", shown > 1 ? " ⏎ " : "", line);
		free(line);
		for (shown_end = offset + len; shown_end < text_len && text[shown_end] != '\n'; shown_end++)
			;
	}
	return buf_detach(&out);
}

struct change *assessment_change_spots(struct assessment *a, const char *item, const char *what, const void *old, size_t old_len,
				       const struct change_spot *spots, size_t spots_n, const void *new_bytes, size_t new_len)
{
	struct change *c;
	struct buf after = { .max = old_len + spots_n * new_len + 1 };
	size_t at = 0;

	GROW_FOR_ONE(a->changes, a->changes_n);
	c = &a->changes[a->changes_n++];
	*c = (struct change){ .item = str_dup(item), .what = str_dup(what) };
	for (size_t i = 0; i < spots_n; i++) {
		if (spots[i].offset < at || spots[i].offset > old_len || spots[i].len > old_len - spots[i].offset)
			abort();
		add_edit(c, old, spots[i].offset, spots[i].len, new_bytes, new_len);
		buf_add(&after, (const char *)old + at, spots[i].offset - at);
		buf_add(&after, new_bytes, new_len);
		at = spots[i].offset + spots[i].len;
	}
	buf_add(&after, (const char *)old + at, old_len - at);
	sha256_hex(old, old_len, c->before_sha256);
	sha256_hex(buf_str(&after), after.len, c->after_sha256);
	c->line = line_number(old, spots_n ? spots[0].offset : 0);
	c->old_line = lines_of_spots(old, old_len, spots, spots_n, new_len, false);
	c->new_line = lines_of_spots(buf_str(&after), after.len, spots, spots_n, new_len, true);
	buf_release_secret(&after);
	return c;
}

struct change *assessment_change(struct assessment *a, const char *item, const char *what, const void *old, size_t old_len,
				 size_t offset, size_t replaced_len, const void *new_bytes, size_t new_len)
{
	struct change_spot spot = { offset, replaced_len };

	return assessment_change_spots(a, item, what, old, old_len, &spot, 1, new_bytes, new_len);
}

/* The bytes after the edits; E_CHANGED where an edit does not find what it replaces. */
static int edits_apply(const struct change *c, const char *old, size_t old_len, struct buf *out, struct err *err)
{
	size_t at = 0;

	for (size_t i = 0; i < c->edits_n; i++) {
		const struct edit *e = &c->edits[i];

		if (e->offset < at || e->offset > old_len || e->old_len > old_len - e->offset ||
		    memcmp(old + e->offset, e->old_bytes, e->old_len) != 0)
			return err_set(err, E_CHANGED, "%s is not what the change was made for: look at it again",
				       c->what);
		buf_add(out, old + at, e->offset - at);
		buf_add(out, e->new_bytes, e->new_len);
		at = e->offset + e->old_len;
	}
	buf_add(out, old + at, old_len - at);
	return 0;
}

int change_apply(const struct change *c, const void *old, size_t old_len, struct buf *out, struct err *err)
{
	char sha[SHA256_HEX_MAX];
	struct buf after = BUF_INIT;
	int rc;

	if (strcmp(sha256_hex(old, old_len, sha), c->before_sha256) != 0)
		return err_set(err, E_CHANGED, "%s is not what the change was made for: look at it again", c->what);
	rc = edits_apply(c, old, old_len, &after, err);
	if (rc)
		goto out;
	if (strcmp(sha256_hex(buf_str(&after), after.len, sha), c->after_sha256) != 0) {
		rc = err_set(err, E_BUG, "the change of %s does not give the bytes that it promises", c->what);
		goto out;
	}
	if (!buf_add(out, buf_str(&after), after.len))
		rc = err_set(err, E_LIMIT, "%s would be larger than is allowed after the change", c->what);
out:
	buf_release_secret(&after);
	return rc;
}
