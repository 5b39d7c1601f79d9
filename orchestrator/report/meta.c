#include "report/meta.h"

#include "base/alloc.h"

#include <jansson.h>

static json_t *parse(const char *data)
{
	json_t *root = json_loads(data, 0, NULL);

	return root ? root : json_object();
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *key, int64_t otherwise)
{
	const json_t *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

static void title_set(struct report_title *title, const json_t *json)
{
	title->en = str_dup(text_of(json, "en"));
	title->ja = str_dup(text_of(json, "ja"));
}

static void title_clear(struct report_title *title)
{
	free(title->en);
	free(title->ja);
	*title = (struct report_title){ 0 };
}

/* ---- the procedure ---------------------------------------------------------------------------------------------- */

void meta_procedure_clear(struct report *report)
{
	for (size_t i = 0; i < report->steps_n; i++) {
		free(report->steps[i].name);
		free(report->steps[i].vendor);
		title_clear(&report->steps[i].title);
		title_clear(&report->steps[i].without);
	}
	free(report->steps);
	free(report->procedure);
	title_clear(&report->title);
	report->steps = NULL;
	report->steps_n = 0;
	report->procedure = NULL;
}

static void step_set(struct report_step *step, const json_t *json, size_t order)
{
	int phase = phase_parse(text_of(json, "phase"));

	step->name = str_dup(text_of(json, "step"));
	step->vendor = str_dup(text_of(json, "vendor"));
	step->phase = phase < 0 ? PHASE_PREPARE : (enum phase)phase;
	step->order = order;
	title_set(&step->title, json_object_get(json, "title"));
	title_set(&step->without, json_object_get(json, "without"));
}

/* The tenant is over with the last step of phase switch. */
static void mark_last_switch(struct report *report)
{
	for (size_t i = report->steps_n; i-- > 0;) {
		if (report->steps[i].phase != PHASE_SWITCH)
			continue;
		report->steps[i].last_switch = true;
		return;
	}
}

void meta_procedure(struct report *report, const char *data)
{
	json_t *root = parse(data);
	const json_t *steps = json_object_get(root, "steps");

	meta_procedure_clear(report);
	report->procedure = str_dup(text_of(root, "name"));
	title_set(&report->title, json_object_get(root, "title"));
	report->steps_n = json_array_size(steps);
	report->steps = NEW_N(struct report_step, report->steps_n + 1);
	for (size_t i = 0; i < report->steps_n; i++)
		step_set(&report->steps[i], json_array_get(steps, i), i);
	mark_last_switch(report);
	json_decref(root);
}

/* ---- a tenant --------------------------------------------------------------------------------------------------- */

void meta_tenant_clear(struct report_tenant *tenant)
{
	free(tenant->name);
	free(tenant->wave);
	free(tenant->change_id);
	free(tenant->migration_date);
	free(tenant->windows);
	free(tenant->by_json);
	for (size_t i = 0; i < tenant->without_n; i++)
		free(tenant->without[i]);
	free(tenant->without);
	tenant->without = NULL;
	tenant->without_n = 0;
	tenant->name = tenant->wave = tenant->change_id = tenant->migration_date = tenant->by_json = NULL;
	tenant->windows = NULL;
	tenant->windows_n = 0;
}

static struct report_window window_of(const json_t *json)
{
	return (struct report_window){ number_of(json, "start_ms", 0), number_of(json, "end_ms", 0) };
}

static void without_set(struct report_tenant *tenant, const json_t *steps)
{
	tenant->without = NEW_N(char *, json_array_size(steps) + 1);
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const char *step = json_string_value(json_array_get(steps, i));

		if (step)
			tenant->without[tenant->without_n++] = str_dup(step);
	}
}

void meta_tenant(struct report_tenant *tenant, const char *data)
{
	json_t *root = parse(data);
	const json_t *windows = json_object_get(root, "windows");
	const json_t *by = json_object_get(root, "by");

	meta_tenant_clear(tenant);
	tenant->name = str_dup(text_of(root, "name"));
	tenant->wave = str_dup(text_of(root, "wave"));
	tenant->change_id = str_dup(text_of(root, "change_id"));
	tenant->migration_date = str_dup(text_of(root, "migration_date"));
	tenant->japanese = strcmp(text_of(root, "language"), "ja") == 0;
	tenant->offset_min = (int)number_of(root, "offset_min", 0);
	tenant->migration_ms = number_of(root, "migration_ms", 0);
	tenant->vendor_period = window_of(json_object_get(root, "vendor_period"));
	tenant->windows_n = json_array_size(windows);
	tenant->windows = NEW_N(struct report_window, tenant->windows_n + 1);
	for (size_t i = 0; i < tenant->windows_n; i++)
		tenant->windows[i] = window_of(json_array_get(windows, i));
	tenant->by_json = json_is_object(by) ? json_dumps(by, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (!tenant->by_json)
		tenant->by_json = str_dup("");
	without_set(tenant, json_object_get(root, "without"));
	json_decref(root);
}

/* ---- a row ------------------------------------------------------------------------------------------------------ */

void meta_instruction_clear(struct report_row *row)
{
	title_clear(&row->instruction);
	row->who[0] = '\0';
}

void meta_instruction(struct report_row *row, const char *data)
{
	json_t *root = parse(data);

	meta_instruction_clear(row);
	title_set(&row->instruction, root);
	snprintf(row->who, sizeof(row->who), "%s", text_of(root, "who"));
	json_decref(root);
}

/* ---- a run ------------------------------------------------------------------------------------------------------ */

void meta_run_clear(struct report_run *run)
{
	free(run->command);
	free(run->os_user);
	free(run->ssh_origin);
	free(run->version);
	free(run->selection);
	*run = (struct report_run){ 0 };
}

/* A selection of everything reads as nothing. */
static char *selection_text(const json_t *selection)
{
	char *text;

	if (json_is_string(selection))
		return str_dup(json_string_value(selection));
	if (!json_is_object(selection) || json_object_size(selection) == 0)
		return str_dup("");
	text = json_dumps(selection, JSON_COMPACT | JSON_SORT_KEYS);
	return text ? text : str_dup("");
}

void meta_run(struct report_run *out, const struct row_run *run, bool held)
{
	json_t *begin = parse(run->data ? run->data : ""), *end = parse(run->end_data ? run->end_data : "");

	*out = (struct report_run){
		.run = run,
		.command = str_dup(text_of(begin, "command")),
		.os_user = str_dup(text_of(begin, "os_user")),
		.ssh_origin = str_dup(text_of(begin, "ssh_origin")),
		.version = str_dup(text_of(begin, "version")),
		.selection = selection_text(json_object_get(begin, "selection")),
		.revision = number_of(begin, "revision", 0),
		.pid = number_of(begin, "pid", 0),
		.concurrency = number_of(begin, "concurrency", 0),
		.exit = (int)number_of(end, "exit", -1),
		.going_on = held && run->end_ms == 0,
	};
	json_decref(begin);
	json_decref(end);
}
