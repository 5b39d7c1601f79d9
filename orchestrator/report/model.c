#include "report/model.h"

#include "base/alloc.h"
#include "report/words.h"

#include <jansson.h>

const struct report_run *report_last_run(const struct report *report)
{
	return report->runs_n ? &report->runs[report->runs_n - 1] : NULL;
}

const char *report_title_in(const struct report_title *title, bool japanese, const char *otherwise)
{
	if (japanese && title->ja && *title->ja)
		return title->ja;
	return title->en && *title->en ? title->en : otherwise;
}

const char *report_step_title(const struct report_row *row, bool japanese)
{
	return row->step ? report_title_in(&row->step->title, japanese, row->row->step) : row->row->step;
}

const char *report_not_proved(const struct report_row *row, bool japanese)
{
	const struct report_step *step = row->step;
	const struct report_tenant *t = row->tenant;

	if (!step || !*step->without.en || (row->row->state != STEP_VERIFIED && row->row->state != STEP_UNCHANGED))
		return NULL;
	for (size_t i = 0; i < t->without_n; i++)
		if (strcmp(t->without[i], step->name) == 0)
			return report_title_in(&step->without, japanese, "");
	return NULL;
}

const char *report_tenant_name(const struct report_tenant *tenant)
{
	return *tenant->name ? tenant->name : tenant->id;
}

const char *report_row_who(const struct report_row *row, char who[16])
{
	json_t *by = *row->who ? NULL : json_loads(row->tenant->by_json, 0, NULL);
	const char *text = *row->who ? row->who : json_string_value(json_object_get(by, row->row->step));

	snprintf(who, 16, "%s", text ? text : "us");
	json_decref(by);
	return who;
}

const char *report_instruction(const struct report_row *row, bool japanese)
{
	return row->instruction.en && *row->instruction.en ? report_title_in(&row->instruction, japanese, "") : NULL;
}

static char *person_text(const json_t *root, const char *key)
{
	const json_t *value = json_object_get(root, key);

	return str_dup(json_is_string(value) ? json_string_value(value) : "");
}

static char *person_evidence_name(const json_t *root)
{
	const char *path = json_string_value(json_object_get(json_object_get(root, "evidence"), "path"));
	const char *slash = path ? strrchr(path, '/') : NULL;

	return str_dup(slash ? slash + 1 : path ? path : "");
}

static char *person_evidence(const json_t *root)
{
	const json_t *evidence = json_object_get(root, "evidence");
	const char *sha256 = json_string_value(json_object_get(evidence, "sha256"));
	char *name = person_evidence_name(root), hash[16], *text;

	if (*name && sha256)
		text = str_fmt("%s, %lld bytes, SHA-256 %s", name,
			       (long long)json_integer_value(json_object_get(evidence, "bytes")), hash_short(sha256, hash));
	else
		text = person_text(root, "evidence");
	free(name);
	return text;
}

void report_person_of(const struct report_event *event, struct report_person *out)
{
	json_t *root = event ? json_loads(event->data, 0, NULL) : NULL;

	*out = (struct report_person){
		.result = person_text(root, "result"),
		.by = person_text(root, "by"),
		.note = person_text(root, "note"),
		.os_user = person_text(root, "os_user"),
		.ssh_origin = person_text(root, "ssh_origin"),
		.evidence = person_evidence(root),
		.evidence_name = person_evidence_name(root),
	};
	json_decref(root);
}

void report_person_release(struct report_person *p)
{
	free(p->result);
	free(p->by);
	free(p->note);
	free(p->os_user);
	free(p->ssh_origin);
	free(p->evidence);
	free(p->evidence_name);
	*p = (struct report_person){ 0 };
}

const char *report_exit_meaning(int exit, enum report_lang lang)
{
	static const struct {
		int exit;
		const char *meaning[2];
	} table[] = {
		{ 0, { "all that was asked is done and verified", "依頼された作業はすべて完了し、検証されました" } },
		{ 1,
		  { "at least one target failed, drifted, is unreachable, indeterminate or was rolled back",
		    "失敗、差異、到達不能、結果不明、または復元された対象があります" } },
		{ 2,
		  { "bad usage, or a bad inventory, plan or state file", "指定または入力ファイルに誤りがあります" } },
		{ 3, { "stopped by a failure threshold", "失敗数の上限に達したため停止しました" } },
		{ 4, { "stopped by the operator; resume goes on", "担当者が停止しました (resume で再開)" } },
		{ 5, { "nothing failed, work is left that has to wait", "失敗はなく、時期を待つ作業が残っています" } },
		{ 6, { "another controller holds the state file", "別のコントローラが状態ファイルを使用中です" } },
		{ 7, { "nothing failed, a person is waited for", "失敗はなく、担当者の対応を待っています" } },
		{ 70, { "a fault of the program itself", "プログラム自体の障害です" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].exit == exit)
			return table[i].meaning[lang];
	return "";
}

const char *report_run_text(const struct report_run *run)
{
	const char *text = run->run->end_text ? run->run->end_text : "";

	return strcmp(text, report_exit_meaning(run->exit, REPORT_EN)) == 0 ? "" : text;
}
