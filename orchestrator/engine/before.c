#include "engine/before.h"

#include "base/alloc.h"
#include "base/redact.h"

#include <jansson.h>

static bool holds_secret(const struct fact *f)
{
	struct buf copy = BUF_INIT;
	bool holds;

	redact_add(&copy, f->value, f->len);
	holds = !buf_equals(&copy, f->value, f->len);
	buf_release_secret(&copy);
	return holds;
}

static json_t *inline_value(const struct fact *f)
{
	if (f->len > BEFORE_INLINE_MAX_BYTES || memchr(f->value, '\0', f->len) || holds_secret(f))
		return NULL;
	return json_stringn(f->value, f->len); /* NULL when it is not UTF-8 */
}

static json_t *blob_value(const struct fact *f)
{
	char sha[SHA256_HEX_MAX];

	return json_pack("{s:s, s:I}", "blob", sha256_hex(f->value, f->len, sha), "bytes", (json_int_t)f->len);
}

char *before_to_json(const struct facts *facts, struct journal_blob **blobs, size_t *blobs_n)
{
	json_t *o = json_object();
	char *text;

	*blobs = NULL;
	*blobs_n = 0;
	for (size_t i = 0; i < facts->n; i++) {
		const struct fact *f = &facts->at[i];
		json_t *value = inline_value(f);
		if (!value) {
			GROW_FOR_ONE(*blobs, *blobs_n);
			(*blobs)[(*blobs_n)++] = (struct journal_blob){ f->value, f->len, true };
			value = blob_value(f);
		}
		json_object_set_new(o, f->key, value);
	}
	text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return text;
}

static int load_value(const char *key, json_t *value, struct journal_reader *reader, struct facts *out, struct err *err)
{
	const char *sha = json_string_value(json_object_get(value, "blob"));
	struct buf bytes = BUF_INIT;
	int r;

	if (json_is_string(value)) {
		facts_set(out, key, json_string_value(value), json_string_length(value));
		return 0;
	}
	if (!sha)
		return err_set(err, E_CORRUPT, "the journal's fact \"%s\" has an unknown shape", key);
	r = journal_blob(reader, sha, &bytes, err);
	if (!r)
		facts_set(out, key, buf_str(&bytes), bytes.len);
	buf_release_secret(&bytes);
	return r;
}

int before_from_json(const char *json, struct journal_reader *reader, struct facts *out, struct err *err)
{
	json_t *o = json_loads(json, 0, NULL), *value;
	const char *key;
	int r = 0;

	if (!json_is_object(o))
		r = err_set(err, E_CORRUPT, "the journal's facts cannot be read");
	json_object_foreach(o, key, value) {
		r = load_value(key, value, reader, out, err);
		if (r)
			break;
	}
	json_decref(o);
	return r;
}
