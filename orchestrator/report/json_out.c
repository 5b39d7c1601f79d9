#include "report/json_out.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/hash.h"
#include "report/escape.h"

#include <jansson.h>

static void begin_value(struct json_out *j, const char *key)
{
	if (j->comma)
		buf_addc(j->out, ',');
	j->comma = true;
	if (!key)
		return;
	escape_json(j->out, key);
	buf_addc(j->out, ':');
}

void json_begin(struct json_out *j, const char *key, char bracket)
{
	begin_value(j, key);
	buf_addc(j->out, bracket);
	j->comma = false;
}

void json_end(struct json_out *j, char bracket)
{
	buf_addc(j->out, bracket);
	j->comma = true;
}

void json_text(struct json_out *j, const char *key, const char *text)
{
	begin_value(j, key);
	escape_json(j->out, text);
}

void json_text_if(struct json_out *j, const char *key, const char *text)
{
	if (text && *text)
		json_text(j, key, text);
}

void json_number(struct json_out *j, const char *key, int64_t number)
{
	begin_value(j, key);
	buf_addf(j->out, "%lld", (long long)number);
}

void json_bool(struct json_out *j, const char *key, bool value)
{
	begin_value(j, key);
	buf_adds(j->out, value ? "true" : "false");
}

void json_nothing(struct json_out *j, const char *key)
{
	begin_value(j, key);
	buf_adds(j->out, "null");
}

void json_time(struct json_out *j, const char *key, int64_t wall_ms, int offset_min)
{
	char text[TIME_TEXT_MAX];

	if (wall_ms)
		json_text(j, key, time_format(wall_ms, offset_min, text));
	else
		json_nothing(j, key);
}

void json_hash(struct json_out *j, const char *key, const char *sha256)
{
	bool is_hash = strlen(sha256) == SHA256_HEX_MAX - 1 && sha256[strspn(sha256, "0123456789abcdef")] == '\0';

	json_text(j, key, is_hash ? sha256 : "");
}

void json_embed(struct json_out *j, const char *key, const char *json)
{
	json_t *root = json && *json ? json_loads(json, 0, NULL) : NULL;
	char *text = root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) : NULL;

	if (text) {
		begin_value(j, key);
		buf_adds(j->out, text);
	}
	free(text);
	json_decref(root);
}

/* Only white space: the comma, where there is one, comes behind it. */
void json_line(struct json_out *j, int indent)
{
	if (j->comma)
		buf_addc(j->out, ',');
	j->comma = false;
	buf_addc(j->out, '\n');
	for (int i = 0; i < indent; i++)
		buf_addc(j->out, ' ');
}
