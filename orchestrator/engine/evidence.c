#include "engine/internal.h"

#include "base/alloc.h"

#define EXCERPT_BYTES 400

/* Bytes as a JSON string; where they are not UTF-8, as {"base64": …}. */
static json_t *json_bytes(const char *bytes, size_t len)
{
	json_t *text = json_stringn(bytes ? bytes : "", len);
	char *encoded;

	if (text)
		return text;
	encoded = base64_encode(bytes, len);
	text = json_pack("{s:s}", "base64", encoded);
	free(encoded);
	return text;
}

static json_t *change_json(const struct change *c)
{
	json_t *edits = json_array();

	for (size_t i = 0; i < c->edits_n; i++)
		json_array_append_new(edits, json_pack("{s:I, s:o, s:o}", "offset", (json_int_t)c->edits[i].offset, "old",
						       json_bytes(c->edits[i].old_bytes, c->edits[i].old_len), "new",
						       json_bytes(c->edits[i].new_bytes, c->edits[i].new_len)));
	return json_pack("{s:s, s:o, s:I, s:o, s:o, s:s, s:s, s:o}", "item", c->item, "what",
			 json_bytes(c->what, strlen(c->what)), "line",
			 (json_int_t)c->line, "old_line", json_bytes(c->old_line, c->old_line ? strlen(c->old_line) : 0),
			 "new_line", json_bytes(c->new_line, c->new_line ? strlen(c->new_line) : 0), "before_sha256",
			 c->before_sha256, "after_sha256", c->after_sha256, "edits", edits);
}

static char *dump(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(o);
	return text;
}

char *assessment_json(const struct assessment *a)
{
	json_t *changes = json_array(), *notes = json_array();

	for (size_t i = 0; i < a->changes_n; i++)
		json_array_append_new(changes, change_json(&a->changes[i]));
	for (size_t i = 0; i < a->notes_n; i++)
		json_array_append_new(notes, json_bytes(a->notes[i], strlen(a->notes[i])));
	return dump(json_pack("{s:s, s:o, s:o, s:o}", "state", assess_state_name(a->state), "text",
			      json_bytes(a->text, strlen(a->text)), "changes", changes, "notes", notes));
}

/* A file's bytes are never evidence, their hash is: what else is in it is nobody's business. */
static json_t *look_json(const struct task *t, const struct op_result *r)
{
	char sha[SHA256_HEX_MAX];
	size_t excerpt = r->out.len < EXCERPT_BYTES ? r->out.len : EXCERPT_BYTES;

	if (t->work->op.kind == OP_GET)
		return json_pack("{s:s, s:o, s:s, s:I, s:I, s:o, s:o}", "op", "get", "path",
				 json_bytes(t->work->op.path, strlen(t->work->op.path)), "sha256",
				 sha256_hex(buf_str(&r->out), r->out.len, sha), "bytes", (json_int_t)r->out.len, "mode",
				 (json_int_t)r->file.mode, "owner",
				 json_bytes(r->file.owner, r->file.owner ? strlen(r->file.owner) : 0), "group",
				 json_bytes(r->file.group, r->file.group ? strlen(r->file.group) : 0));
	/* Who a customer's users are is none of a report's business either. */
	if (t->work->op.kind == OP_HTTP)
		return json_pack("{s:s, s:s, s:I, s:s, s:I}", "op", "http", "url", t->work->op.url, "status",
				 (json_int_t)r->exit_code, "sha256", sha256_hex(buf_str(&r->out), r->out.len, sha), "bytes",
				 (json_int_t)r->out.len);
	if (t->work->op.kind == OP_SMTP)
		return json_pack("{s:s, s:s, s:i, s:o}", "op", "smtp", "server", t->work->op.server, "port", t->work->op.port,
				 "replies", json_bytes(buf_str(&r->out), excerpt));
	return json_pack("{s:s, s:s, s:I, s:o}", "op", "run", "script", t->work->op.script ? t->work->op.script->name : "", "exit",
			 (json_int_t)r->exit_code, "stdout", json_bytes(buf_str(&r->out), excerpt));
}

void evidence_look(struct task *t, const struct step *step, const struct op_result *result)
{
	struct journal_entry e = ledger_entry(t->row, JOURNAL_EVIDENCE, step->name, t->work->item);
	char *data;

	if (result->failure.code)
		return;
	data = dump(look_json(t, result));
	e.data = data;
	e.exit_code = result->exit_code;
	e.elapsed_ms = result->elapsed_ms;
	ledger_add(&t->engine->ledger, &e, NULL, 1, NULL);
	free(data);
}

void evidence_command(struct task *t, const struct verify_command *c, const struct op_result *result, bool good,
		      const char *text)
{
	struct journal_entry e = ledger_entry(t->row, JOURNAL_EVIDENCE, "verify-command", c->name);
	struct journal_blob blob = { buf_str(&result->out), result->out.len, false };
	char *data = dump(json_pack("{s:s, s:s, s:I, s:s*, s:b, s:o, s:b}", "op", "exec", "command", c->run, "exit",
				    (json_int_t)result->exit_code, "stdout_matches", c->stdout_matches, "good", good,
				    "stdout",
				    json_bytes(buf_str(&result->out),
					       result->out.len < EXCERPT_BYTES ? result->out.len : EXCERPT_BYTES),
				    "truncated", result->out.truncated));

	e.data = data;
	e.text = text;
	e.to = good ? "ok" : "fail";
	e.exit_code = result->exit_code;
	e.elapsed_ms = result->elapsed_ms;
	ledger_add(&t->engine->ledger, &e, blob.len ? &blob : NULL, 1, NULL);
	free(data);
}
