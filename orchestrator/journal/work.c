/* Pieces of work: what a caller handed over is copied and redacted here, on the caller's thread. */
#include "journal/writer.h"

#include "base/alloc.h"
#include "base/redact.h"
#include "base/utf8.h"

/* Redaction makes a text longer by a third at most ("[secret]" for six bytes). */
static size_t room_for(size_t len)
{
	return 2 * len + 64;
}

struct work *work_new(enum work_kind kind)
{
	struct work *work = NEW(struct work);

	work->kind = kind;
	return work;
}

static void free_entry(struct journal_entry *e)
{
	const char *const owned[] = { e->procedure, e->tenant, e->step, e->target, e->action, e->item,
				      e->from,      e->to,     e->code, e->text,   e->data,   e->blob_sha256 };

	for (size_t i = 0; i < ARRAY_LEN(owned); i++)
		free((char *)owned[i]);
}

void work_free(struct work *work)
{
	for (size_t i = 0; i < work->entries_n; i++)
		free_entry(&work->entries[i]);
	for (size_t i = 0; i < work->blobs_n; i++)
		free(work->blobs[i].bytes);
	free(work->entries);
	free(work->blobs);
	free(work);
}

static const char *copy(const char *text)
{
	return str_dup(text ? text : "");
}

/* Also made UTF-8, whatever a host sent: who reads the journal (JSON, HTML) cannot do with less. */
static const char *copy_redacted(const char *text, void (*redact)(struct buf *, const char *, size_t))
{
	size_t len = text ? strlen(text) : 0;
	struct buf redacted, out;

	buf_init(&redacted, room_for(len));
	buf_init(&out, 3 * room_for(len));
	if (len)
		redact(&redacted, text, len);
	utf8_add_clean(&out, buf_str(&redacted), redacted.len);
	buf_release(&redacted);
	return buf_detach(&out);
}

/* Names are kept as they are: they are keys, and do not come from hosts. */
static struct journal_entry copy_entry(const struct journal_entry *e)
{
	struct journal_entry out = *e;

	out.procedure = copy(e->procedure);
	out.tenant = copy(e->tenant);
	out.step = copy(e->step);
	out.target = copy(e->target);
	out.action = copy(e->action);
	out.item = copy(e->item);
	out.from = copy(e->from);
	out.to = copy(e->to);
	out.code = copy(e->code);
	/* An error's text is cut at its maximum. */
	out.text = copy_redacted(e->text, e->text && strlen(e->text) >= ERR_TEXT_MAX - 4 ? redact_add_cut : redact_add);
	out.data = copy_redacted(e->data, redact_json);
	out.blob_sha256 = copy(e->blob_sha256);
	out.prev_hash = out.hash = NULL;
	return out;
}

static void copy_blob(struct work_blob *out, const struct journal_blob *blob)
{
	struct buf bytes;

	buf_init(&bytes, room_for(blob->len));
	if (blob->exact)
		buf_add(&bytes, blob->bytes, blob->len);
	else
		redact_add_cut(&bytes, blob->bytes, blob->len);
	out->len = bytes.len;
	out->exact = blob->exact;
	out->bytes = buf_detach(&bytes);
	sha256_hex(out->bytes, out->len, out->sha256);
}

void work_add_blobs(struct work *work, const struct journal_blob *blobs, size_t n)
{
	work->blobs = mem_grow(work->blobs, work->blobs_n + n, sizeof(*work->blobs));
	for (size_t i = 0; i < n; i++)
		copy_blob(&work->blobs[work->blobs_n++], &blobs[i]);
}

void work_add_entries(struct work *work, const struct journal_entry *entries, const struct journal_blob *blobs,
		      size_t n)
{
	work->entries = mem_grow(work->entries, work->entries_n + n, sizeof(*work->entries));
	for (size_t i = 0; i < n; i++) {
		struct journal_entry *e = &work->entries[work->entries_n++];
		*e = copy_entry(&entries[i]);
		if (!blobs || !blobs[i].bytes)
			continue;
		work_add_blobs(work, &blobs[i], 1);
		free((char *)e->blob_sha256);
		e->blob_sha256 = str_dup(work->blobs[work->blobs_n - 1].sha256);
	}
}
