#include "engine/confirm.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "inventory/suggest.h"

#define LISTED_MAX 12 /* names in a message */

static const char *const result_names[CONFIRM_RESULTS] = { "ok", "wrong", "not-needed" };

const char *confirm_result_name(enum confirm_result result)
{
	return result_names[result];
}

/* ---- the request of the control socket --------------------------------------------------------------------------- */

json_t *confirm_to_json(const struct confirm *c)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s*, s:s, s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}", "cmd", "confirm",
			      "tenant", c->tenant, "step", c->step, "target", c->target, "result",
			      confirm_result_name(c->result), "by", c->by, "note", c->note, "os_user", c->os_user,
			      "ssh_origin", c->ssh_origin, "evidence_path", c->evidence_path, "sheet_path", c->sheet_path,
			      "sheet_sha256", c->sheet_sha256);

	if (o && c->sheet_line)
		json_object_set_new(o, "sheet_line", json_integer(c->sheet_line));
	return o;
}

static int get_text(const json_t *request, const char *key, bool required, const char **out, struct err *err)
{
	const json_t *value = json_object_get(request, key);

	*out = json_string_value(value);
	if (value && !*out)
		return err_set(err, E_INVAL, "the request's \"%s\" is no text", key);
	if (required && !*out)
		return err_set(err, E_INVAL, "the request has no \"%s\"", key);
	return 0;
}

int confirm_from_json(const json_t *request, struct confirm *c, struct err *err)
{
	const char *result = NULL;
	const struct {
		const char *key;
		bool required;
		const char **to;
	} texts[] = {
		{ "tenant", true, &c->tenant },
		{ "step", true, &c->step },
		{ "target", false, &c->target },
		{ "result", true, &result },
		{ "by", true, &c->by },
		{ "note", false, &c->note },
		{ "os_user", false, &c->os_user },
		{ "ssh_origin", false, &c->ssh_origin },
		{ "evidence_path", false, &c->evidence_path },
		{ "sheet_path", false, &c->sheet_path },
		{ "sheet_sha256", false, &c->sheet_sha256 },
	};

	*c = (struct confirm){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int rc = get_text(request, texts[i].key, texts[i].required, texts[i].to, err);
		if (rc)
			return rc;
	}
	c->sheet_line = (int)json_integer_value(json_object_get(request, "sheet_line"));
	for (int i = 0; i < CONFIRM_RESULTS; i++) {
		if (strcmp(result, result_names[i]) == 0) {
			c->result = (enum confirm_result)i;
			return 0;
		}
	}
	return err_set(err, E_INVAL, "the request's result '%s' is none of ok, wrong, not-needed", result);
}

/* ---- which row --------------------------------------------------------------------------------------------------- */

/* Names for a message, each once, in their order. */
struct listing {
	struct buf text;
	const char *last;
	size_t n;
};

static void list_name(struct listing *l, const char *name)
{
	if (l->last && strcmp(l->last, name) == 0)
		return;
	l->last = name;
	if (l->n++ < LISTED_MAX)
		buf_addf(&l->text, "%s%s", l->n > 1 ? ", " : "", name);
	else if (l->n == LISTED_MAX + 1)
		buf_adds(&l->text, ", …");
}

static bool is_step_row(const struct row *row, const struct confirm *c)
{
	return strcmp(row->tenant, c->tenant) == 0 && strcmp(row->step, c->step) == 0;
}

static int no_such_tenant(const struct rows *rows, const struct confirm *c, struct err *err)
{
	struct suggestion s = { .word = c->tenant };

	for (size_t i = 0; i < rows->n; i++)
		suggestion_offer(&s, rows->at[i]->tenant);
	if (s.best)
		return err_set(err, E_NOTFOUND, "there is no tenant '%s' in the state file, did you mean '%s'?",
			       c->tenant, s.best);
	return err_set(err, E_NOTFOUND, "there is no tenant '%s' in the state file (`cutover status` lists them)",
		       c->tenant);
}

static int no_such_step(const struct rows *rows, const struct confirm *c, struct err *err)
{
	struct listing steps = { 0 };

	for (size_t i = 0; i < rows->n; i++)
		if (strcmp(rows->at[i]->tenant, c->tenant) == 0)
			list_name(&steps, rows->at[i]->step);
	if (steps.n == 0)
		return no_such_tenant(rows, c, err);
	err_set(err, E_NOTFOUND, "tenant %s has no step '%s'; it has %s", c->tenant, c->step, buf_str(&steps.text));
	buf_release(&steps.text);
	return E_NOTFOUND;
}

/* Several targets and none named, or one named that is not there. */
static int which_target(const struct rows *rows, const struct confirm *c, struct err *err)
{
	struct listing targets = { 0 };
	int code = c->target ? E_NOTFOUND : E_INVAL;

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = rows->at[i];
		if (is_step_row(row, c) && row->state != STEP_WITHDRAWN) {
			buf_addf(&targets.text, "%s%s (%s)", targets.n++ ? ", " : "", row->target,
				 step_state_name(row->state));
			if (targets.text.len > 600)
				break;
		}
	}
	if (c->target)
		err_set(err, code, "%s of %s has no target '%s'; it has %s", c->step, c->tenant, c->target,
			buf_str(&targets.text));
	else
		err_set(err, code, "%s of %s has several targets, say which with --target: %s", c->step, c->tenant,
			buf_str(&targets.text));
	buf_release(&targets.text);
	return code;
}

int confirm_row(const struct rows *rows, const struct confirm *c, const struct row **out, struct err *err)
{
	const struct row *only = NULL;
	size_t n = 0, standing = 0;

	for (size_t i = 0; i < rows->n; i++) {
		const struct row *row = rows->at[i];
		if (!is_step_row(row, c))
			continue;
		n++;
		if (c->target && strcmp(row->target, c->target) == 0) {
			*out = row;
			return 0;
		}
		if (row->state != STEP_WITHDRAWN || !only)
			only = row;
		standing += row->state != STEP_WITHDRAWN;
	}
	if (n == 0)
		return no_such_step(rows, c, err);
	if (c->target || standing > 1)
		return which_target(rows, c, err);
	*out = only;
	return 0;
}

/* ---- may it be said? --------------------------------------------------------------------------------------------- */

/* Why a row in this state cannot be confirmed, and what to do. NULL: it can. */
static const char *refusal(enum step_state state, enum confirm_result result)
{
	switch (state) {
	case STEP_NEEDS_PERSON:
		return NULL;
	case STEP_FAILED:
	case STEP_DRIFT:
	case STEP_UNREACHABLE:
		return result == CONFIRM_WRONG ? "it counts as not done already" : NULL;
	case STEP_BLOCKED: /* somebody did by hand what this version cannot do, or did it early */
		return result == CONFIRM_WRONG ? "nothing was done yet" : NULL;
	case STEP_PENDING:
	case STEP_WAITING:
		return result == CONFIRM_NOT_NEEDED ? NULL : "nobody is waited for; its time comes first";
	case STEP_RUNNING:
		return "it is being worked on; confirm it when that has ended";
	case STEP_APPLIED:
		return "it is done, and its proof is still to come: `cutover run` looks for it";
	case STEP_VERIFIED:
	case STEP_UNCHANGED:
		return "it was looked at and is as it should be: there is nothing to confirm";
	case STEP_NOT_APPLICABLE:
		return "it does not apply here: there is nothing to confirm";
	case STEP_CONFIRMED:
		return "it was confirmed already; `cutover run` verifies it again";
	case STEP_INDETERMINATE:
		return "what became of its last change is not known: `cutover resume` looks first";
	case STEP_ROLLED_BACK:
		return "it was put back as it was; `cutover run` with its tenant named does it again";
	case STEP_WITHDRAWN:
		return "it is no longer in the inventory";
	case STEP_STATES:
		break;
	}
	return "its state is not known";
}

static int check_state(const struct row *row, const struct confirm *c, struct err *err)
{
	const char *why = refusal(row->state, c->result);

	if (why)
		return err_set(err, E_INVAL, "%s %s %s is %s: %s", row->tenant, row->step, row->target,
			       step_state_name(row->state), why);
	if (row->debts_n && c->result != CONFIRM_WRONG)
		return err_set(
		    err, E_INVAL,
		    "%s %s %s: something that was taken down for it is not up again (%s): `cutover resume` brings it "
		    "up, then confirm",
		    row->tenant, row->step, row->target, row->debts[row->debts_n - 1].action);
	return 0;
}

static int check_text(const char *name, const char *text, size_t max, struct err *err)
{
	if (!text)
		return 0;
	if (strlen(text) > max)
		return err_set(err, E_INVAL, "%s is longer than %zu bytes", name, max);
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t')
			return err_set(err, E_INVAL, "%s has control characters", name);
	return 0;
}

static int check_said(const struct confirm *c, struct err *err)
{
	int rc = check_text("the name", c->by, CONFIRM_NAME_MAX_BYTES, err);

	if (rc == 0)
		rc = check_text("the note", c->note, CONFIRM_NOTE_MAX_BYTES, err);
	if (rc == 0 && !*c->by)
		rc = err_set(err, E_INVAL, "who says so? The name is empty");
	if (rc == 0 && c->evidence_path && c->evidence_path[0] != '/')
		rc = err_set(err, E_INVAL, "the path of the evidence is not absolute");
	return rc;
}

/* ---- is it too early? -------------------------------------------------------------------------------------------- */

bool confirm_is_early(enum phase phase, int64_t migration_ms, int64_t said_ms)
{
	return phase == PHASE_READY && said_ms < migration_ms;
}

/* The phase of a step as the procedure's note has it; PHASES: it is not known. */
static enum phase phase_of(const struct rows *rows, const char *step)
{
	json_t *note = json_loads(rows_note(rows, "") ? rows_note(rows, "") : "", 0, NULL), *one;
	int phase = PHASES;
	size_t i;

	json_array_foreach(json_object_get(note, "steps"), i, one) {
		const char *name = json_string_value(json_object_get(one, "step"));
		const char *said = json_string_value(json_object_get(one, "phase"));
		if (name && said && strcmp(name, step) == 0)
			phase = phase_parse(said);
	}
	json_decref(note);
	return phase < 0 ? PHASES : (enum phase)phase;
}

static int check_date(const struct rows *rows, const struct row *row, const struct confirm *c, int64_t wall_ms,
		      struct err *err)
{
	const char *data = rows_note(rows, row->tenant);
	json_t *note = json_loads(data ? data : "", 0, NULL);
	int64_t date_ms = json_integer_value(json_object_get(note, "migration_ms"));
	int offset_min = (int)json_integer_value(json_object_get(note, "offset_min"));
	char when[TIME_TEXT_MAX];
	bool early = c->result == CONFIRM_OK && confirm_is_early(phase_of(rows, row->step), date_ms, wall_ms);

	json_decref(note);
	if (!early)
		return 0;
	return err_set(err, E_INVAL,
		       "%s %s %s: a confirmation before the vendor's data migration (%s) does not count: what is seen or "
		       "set before it is not what counts after it. Look again then, and confirm; nothing was written",
		       row->tenant, row->step, row->target, time_format(date_ms, offset_min, when));
}

/* ---- what is written --------------------------------------------------------------------------------------------- */

static enum step_state state_after(enum confirm_result result)
{
	switch (result) {
	case CONFIRM_OK:
		return STEP_CONFIRMED;
	case CONFIRM_WRONG:
		return STEP_FAILED;
	case CONFIRM_NOT_NEEDED:
	case CONFIRM_RESULTS:
		break;
	}
	return STEP_NOT_APPLICABLE;
}

static char *sentence(const struct confirm *c)
{
	static const char *const said[CONFIRM_RESULTS] = { "is done, says", "is wrong, says", "is not needed, says" };

	return str_fmt("%s %s%s%s", said[c->result], c->by, c->note ? ": " : "", c->note ? c->note : "");
}

static int build_data(const struct confirm *c, struct confirmation *out, struct err *err)
{
	char sha256[SHA256_HEX_MAX];
	json_t *data = json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "result", confirm_result_name(c->result), "by", c->by,
				 "note", c->note, "os_user", c->os_user, "ssh_origin", c->ssh_origin);

	if (data && c->evidence_path)
		json_object_set_new(data, "evidence",
				    json_pack("{s:s, s:s, s:I}", "path", c->evidence_path, "sha256",
					      sha256_hex(out->evidence.data, out->evidence.len, sha256), "bytes",
					      (json_int_t)out->evidence.len));
	if (data && c->sheet_path)
		json_object_set_new(data, "sheet",
				    json_pack("{s:s, s:s*, s:i}", "path", c->sheet_path, "sha256", c->sheet_sha256, "line",
					      c->sheet_line));
	out->data = data ? json_dumps(data, JSON_COMPACT) : NULL;
	json_decref(data);
	if (!out->data)
		return err_set(err, E_INVAL, "the name, the note or the path is not UTF-8");
	return 0;
}

/* ---- was it said before? ----------------------------------------------------------------------------------------- */

static bool says(const json_t *said, const char *key, const char *text)
{
	const char *before = json_string_value(json_object_get(said, key));

	return strcmp(before ? before : "", text ? text : "") == 0;
}

static bool is_same_evidence(const json_t *said, const struct confirm *c)
{
	const json_t *before = json_object_get(said, "evidence");
	struct buf bytes = { .max = CONFIRM_EVIDENCE_MAX_BYTES };
	char sha256[SHA256_HEX_MAX];
	bool same;

	if (!before || !c->evidence_path)
		return !before && !c->evidence_path;
	if (file_read(c->evidence_path, CONFIRM_EVIDENCE_MAX_BYTES, &bytes, NULL) == 0)
		same = says(before, "sha256", sha256_hex(bytes.data, bytes.len, sha256));
	else
		same = says(before, "path", c->evidence_path);
	buf_release(&bytes);
	return same;
}

bool confirm_is_said(const struct row *row, const struct confirm *c)
{
	json_t *said = row->said_json ? json_loads(row->said_json, 0, NULL) : NULL;
	bool same = said && row->state == state_after(c->result) && says(said, "result", confirm_result_name(c->result)) &&
		    says(said, "by", c->by) && says(said, "note", c->note) && is_same_evidence(said, c);

	json_decref(said);
	return same;
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static struct journal_entry *add_entry(struct confirmation *out, const struct row *row, enum journal_kind kind,
				       int64_t wall_ms)
{
	struct journal_entry *e = &out->entries[out->n++];

	*e = (struct journal_entry){ .kind = kind,
				     .tenant = row->tenant,
				     .step = row->step,
				     .target = row->target,
				     .attempt = row->attempt,
				     .wall_ms = wall_ms,
				     .text = out->state_text };
	return e;
}

static void add_move(struct confirmation *out, const struct row *row, enum step_state from, enum step_state to,
		     int64_t wall_ms)
{
	struct journal_entry *e = add_entry(out, row, JOURNAL_STATE, wall_ms);

	e->from = step_state_name(from);
	e->to = step_state_name(to);
}

static int write_down(const struct row *row, const struct confirm *c, int64_t wall_ms, struct confirmation *out,
		      struct err *err)
{
	enum step_state to = state_after(c->result), from = row->state;
	struct journal_entry *person;
	int rc = 0;

	if (c->evidence_path)
		rc = file_read(c->evidence_path, CONFIRM_EVIDENCE_MAX_BYTES, &out->evidence, err);
	if (rc == 0)
		rc = build_data(c, out, err);
	if (rc)
		return rc;
	out->state_text = sentence(c);
	person = add_entry(out, row, JOURNAL_PERSON, wall_ms);
	person->data = out->data;
	/* Not redacted: its hash is that of the file the person has. */
	if (c->evidence_path)
		out->blobs[0] = (struct journal_blob){ buf_str(&out->evidence), out->evidence.len, true };
	if (!step_state_may(from, to)) {
		add_move(out, row, from, STEP_PENDING, wall_ms);
		from = STEP_PENDING;
	}
	if (!step_state_may(from, to)) {
		add_move(out, row, from, STEP_NEEDS_PERSON, wall_ms);
		from = STEP_NEEDS_PERSON;
	}
	add_move(out, row, from, to, wall_ms);
	out->summary = str_fmt("%s %s %s: %s, was %s", row->tenant, row->step, row->target, step_state_name(to),
			       step_state_name(row->state));
	return 0;
}

int confirm_apply(const struct rows *rows, const struct confirm *c, int64_t wall_ms, struct confirmation *out,
		  struct err *err)
{
	const struct row *row = NULL;
	int rc = check_said(c, err);

	*out = (struct confirmation){ 0 };
	buf_init(&out->evidence, CONFIRM_EVIDENCE_MAX_BYTES);
	if (rc == 0)
		rc = confirm_row(rows, c, &row, err);
	if (rc == 0)
		rc = check_state(row, c, err);
	if (rc == 0)
		rc = check_date(rows, row, c, wall_ms, err);
	if (rc == 0)
		rc = write_down(row, c, wall_ms, out, err);
	if (rc)
		confirmation_release(out);
	return rc;
}

void confirmation_release(struct confirmation *c)
{
	free(c->summary);
	free(c->state_text);
	free(c->data);
	buf_release(&c->evidence);
	*c = (struct confirmation){ 0 };
}
