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

struct change *assessment_change(struct assessment *a, const char *item, const char *what, const void *old,
				 size_t old_len, size_t offset, size_t replaced_len, const void *new_bytes,
				 size_t new_len)
{
	struct change *c;
	struct buf after = { .max = old_len + new_len + 1 };

	if (offset > old_len || replaced_len > old_len - offset)
		abort();
	GROW_FOR_ONE(a->changes, a->changes_n);
	c = &a->changes[a->changes_n++];
	*c = (struct change){ .item = str_dup(item), .what = str_dup(what) };
	add_edit(c, old, offset, replaced_len, new_bytes, new_len);
	buf_add(&after, old, offset);
	buf_add(&after, new_bytes, new_len);
	buf_add(&after, (const char *)old + offset + replaced_len, old_len - offset - replaced_len);
	sha256_hex(old, old_len, c->before_sha256);
	sha256_hex(buf_str(&after), after.len, c->after_sha256);
	c->line = line_number(old, offset);
	c->old_line = lines_of(old, old_len, offset, replaced_len);
	c->new_line = lines_of(buf_str(&after), after.len, offset, new_len);
	buf_release_secret(&after);
	return c;
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
