#include "tests/integration/agents/win_ruby_world.h"

#include "agents/win_text.h"
#include "base/alloc.h"

#include <strings.h>

struct win_ruby wr;

static void more(const struct op *op, struct op_result *result);

static void add_task(const char *path, const char *folder, bool enabled)
{
	wr.tasks[wr.tasks_n++] = (struct win_task_here){.path = path, .folder = folder, .enabled = enabled};
}

void win_ruby_begin(const char *params)
{
	win_begin();
	win.more = more;
	wr = (struct win_ruby){0};
	win_write(CONFIG, FILE_OF(OLD_NAME), strlen(FILE_OF(OLD_NAME)));
	win_write(FOLDER "\\imhs-ws-client.rb", "# client\r\n", 10);
	add_task(OTHERS, "C:\\Program Files\\Google", true);
	add_task(HALTED, FOLDER, false);
	add_task(NIGHTLY, FOLDER, true);
	drive_init(&wr.d, "ruby-client", params);
	drive_on_windows(&wr.d);
	wr.d.does = win_do;
}

void win_ruby_end(void)
{
	drive_release(&wr.d);
	win_end();
}

/* ---- the client's files ----------------------------------------------------------------------------------------- */

static void say_file(struct op_result *result, const struct win_file *file)
{
	if (file->there)
		buf_addf(&result->out, "file %s\r\n", file->path);
}

static void find(const struct op *op, struct op_result *result)
{
	static const char *const names[] = {"imhs-config.rb", "imhs-ws-client.rb", "imhs-ws-clinet.rb"};

	for (int i = 0; i < win.files_n; i++) {
		char *folder = win_folder(win.files[i].path);
		bool named = op->args_n == 0 || win_same(op->args[0], folder);

		for (size_t k = 0; named && k < ARRAY_LEN(names); k++) {
			if (strcasecmp(win_name(win.files[i].path), names[k]) == 0)
				say_file(result, &win.files[i]);
		}
		free(folder);
	}
	buf_adds(&result->out, "end\r\n");
}

static bool task_may_run(void)
{
	for (int i = 0; i < wr.tasks_n; i++) {
		if (wr.tasks[i].enabled && win_same(wr.tasks[i].folder, FOLDER))
			return true;
	}
	return false;
}

/* The client takes in the host of the last line that assigns one. */
static void run_client(struct op_result *result)
{
	const char *url = strstr(buf_str(&win_file(CONFIG)->bytes), "\nROOT_URI = 'https://");

	wr.runs++;
	wr.ran_scheduled = wr.ran_scheduled || task_may_run();
	url = url ? url + strlen("\nROOT_URI = 'https://") : "torn";
	snprintf(wr.ran_with, sizeof(wr.ran_with), "%.*s", (int)strcspn(url, "/"), url);
	result->exit_code = (int32_t)wr.run_code;
}

/* ---- tasks ------------------------------------------------------------------------------------------------------ */

struct win_task_here *win_task_here(const char *path)
{
	for (int i = 0; i < wr.tasks_n; i++) {
		if (strcasecmp(wr.tasks[i].path, path) == 0)
			return &wr.tasks[i];
	}
	return NULL;
}

static void say_task(struct op_result *result, const struct win_task_here *task)
{
	buf_addf(&result->out,
		 "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\">\r\n  <Triggers><CalendarTrigger>"
		 "<Enabled>true</Enabled></CalendarTrigger></Triggers>\r\n  <Settings>\r\n    <Enabled>%s</Enabled>\r\n"
		 "  </Settings>\r\n  <Actions><Exec><Command>ruby.exe</Command><WorkingDirectory>",
		 task->enabled ? "true" : "false");
	for (const char *at = task->folder; *at; at++)
		buf_adds(&result->out, *at == '&' ? "&amp;" : (const char[]){*at, '\0'});
	buf_adds(&result->out, "</WorkingDirectory></Exec></Actions>\r\n</Task>\r\n\r\n");
}

/* schtasks.exe's own, in the machine's language. */
static void refused(struct op_result *result, long code)
{
	result->exit_code = (int32_t)code;
	buf_adds(&result->err, win.japanese ? "\x83\x47\x83\x89\x81\x5b: \x83\x41\x83\x4e\x83\x5a\x83\x58\r\n"
					    : "ERROR: Access is denied.\r\n");
}

static bool change(struct op_result *result, struct win_task_here *task, bool enable)
{
	if (task->code) {
		refused(result, task->code);
		return false;
	}
	buf_adds(&result->out, win.japanese ? "\x90\xac\x8c\xf7: \r\n" : "SUCCESS: The parameters have been changed.\r\n");
	if (!task->stubborn && task->enabled != enable) {
		task->enabled = enable;
		task->switched++;
	}
	return true;
}

static void tasks(const struct op *op, struct op_result *result)
{
	struct win_task_here *task = op->args_n > 1 ? win_task_here(op->args[1]) : NULL;

	if (op->args_n == 1) {
		ck_assert_str_eq(op->args[0], "list");
		for (int i = 0; i < wr.tasks_n; i++) {
			buf_addf(&result->out, "<!-- %s -->\r\n", wr.tasks[i].path);
			say_task(result, &wr.tasks[i]);
		}
	} else if (!task) {
		refused(result, 1);
		return;
	} else {
		if (strcmp(op->args[0], "show") != 0 && !change(result, task, strcmp(op->args[0], "enable") == 0))
			return;
		say_task(result, task);
	}
	buf_adds(&result->out, "\r\nend\r\n");
}

/* ---- processes -------------------------------------------------------------------------------------------------- */

static void running(struct op_result *result)
{
	for (int i = 0; i < WIN_RUBIES; i++) {
		struct win_ruby_here *ruby = &wr.rubies[i];

		if (!ruby->looks)
			continue;
		buf_addf(&result->out, "\"%s\",\"%u\",\"Services\",\"0\",\"12,345 K\"\r\n", i ? "rubyw.exe" : "ruby.exe",
			 ruby->pid);
		ruby->looks -= ruby->looks > 0;
	}
	buf_adds(&result->out, win.japanese ? "\x8f\xee\x95\xf1: \x8e\x77\x92\xe8\r\n" : "INFO: No tasks are running.\r\n");
	buf_adds(&result->out, "end\r\n");
}

static void more(const struct op *op, struct op_result *result)
{
	const char *name = op->kind == OP_RUN ? op->script->name : "";

	if (op->kind == OP_EXEC) {
		ck_assert_str_eq(op->command, "cd /d \"" FOLDER "\" && \"C:\\Ruby31-x64\\bin\\ruby.exe\" imhs-ws-client.rb");
		run_client(result);
	} else if (strcmp(name, "client-find.cmd") == 0) {
		find(op, result);
	} else if (strcmp(name, "task.cmd") == 0) {
		tasks(op, result);
	} else if (strcmp(name, "ruby-running.cmd") == 0) {
		running(result);
	} else if (strcmp(name, "ruby-find.cmd") == 0) {
		buf_adds(&result->out, wr.no_ruby ? "end\r\n" : "path C:\\Ruby31-x64\\bin\\ruby.exe\r\nruby 3.1.4p223\r\nend\r\n");
	} else {
		ck_assert_str_eq(name, "ruby-syntax.cmd");
		ck_assert_str_eq(op->args[1], CONFIG);
		result->exit_code = strstr(buf_str(&win_file(CONFIG)->bytes), "secret'\r\n") == NULL;
	}
}

/* ---- what came of it -------------------------------------------------------------------------------------------- */

bool win_ruby_file_is(const char *path, const char *want)
{
	const struct win_file *file = win_file(path);

	return file->there && buf_equals(&file->bytes, want, strlen(want));
}

bool win_ruby_has_note(const char *words)
{
	for (size_t i = 0; i < wr.d.assessment.notes_n; i++) {
		if (strstr(wr.d.assessment.notes[i], words))
			return true;
	}
	return false;
}

static void tasks_are_as_they_were(void)
{
	ck_assert(win_task_here(NIGHTLY)->enabled);
	ck_assert(!win_task_here(HALTED)->enabled);
	ck_assert_int_eq(win_task_here(HALTED)->switched, 0);
	ck_assert_int_eq(win_task_here(OTHERS)->switched, 0);
	ck_assert_uint_eq(wr.d.debts_n, 0);
}

void win_ruby_is_changed(void)
{
	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ck_assert(win_ruby_file_is(BACKUP, FILE_OF(OLD_NAME)));
	ck_assert_int_ge(wr.runs, 1);
	ck_assert_str_eq(wr.ran_with, NEW_NAME);
	ck_assert(!wr.ran_scheduled);
	tasks_are_as_they_were();
}

void win_ruby_is_old(void)
{
	ck_assert(win_ruby_file_is(CONFIG, FILE_OF(OLD_NAME)));
	tasks_are_as_they_were();
}
