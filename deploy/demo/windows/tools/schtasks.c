/*
 * schtasks.exe: scheduled tasks, as Windows' schtasks shows and changes them (Wine's prints nothing and says 0).
 *
 *     schtasks [/query] [/tn NAME] [/xml [one] | /fo csv|table|list [/nh] [/v]]
 *     schtasks /change /tn NAME /enable|/disable
 *     schtasks /run /tn NAME        /end /tn NAME
 *     schtasks /create /tn NAME /xml FILE [/f]        /delete /tn NAME /f
 *
 * A task is a file of C:\Windows\System32\Tasks, UTF-16 with its XML, as on Windows (task_files.c). /xml prints it in
 * the OEM code page, while its first line still says UTF-16, as Windows does; without /tn all of them in one <Tasks>, each
 * behind its path in a comment. Nothing runs by time here: a task runs
 * when /run says so, in a process of its own that outlives the session (task_run.c).
 *
 * Exit code 0, or 1 with ERROR: on stderr.
 */
#include "lib_text.h"
#include "tasks.h"

#include <stdlib.h>

enum action { QUERY, CHANGE, RUN, END, CREATE, DELETE_TASK, RUNNER };
enum format { TABLE, CSV, LIST };

static struct {
	enum action action;
	enum format format;
	bool xml, no_header, verbose, enable, disable, force;
	const wchar_t *name, *file;
} o;

static int failed(const wchar_t *english, const wchar_t *in_japanese)
{
	complain(L"%ls: %ls\n", in_language(L"ERROR", L"エラー"), in_language(english, in_japanese));
	return 1;
}

static int no_such_task(void)
{
	return failed(error_text(ERROR_FILE_NOT_FOUND), error_text(ERROR_FILE_NOT_FOUND));
}

static const wchar_t *status_of(const struct task *task)
{
	if (task_is_running(task))
		return in_language(L"Running", L"実行中");
	if (!task_enabled(task))
		return in_language(L"Disabled", L"無効");
	return in_language(L"Ready", L"準備完了");
}

static void csv_header(void)
{
	if (o.verbose)
		say(in_language(
		    L"\"HostName\",\"TaskName\",\"Next Run Time\",\"Status\",\"Last Result\",\"Task To Run\",\"Start "
		    L"In\","
		    L"\"Scheduled Task State\"\n",
		    L"\"ホスト名\",\"タスク名\",\"次回の実行時刻\",\"状態\",\"前回の結果\",\"実行するタスク\",\"開始\","
		    L"\"スケジュールされたタスクの状態\"\n"));
	else
		say(in_language(L"\"TaskName\",\"Next Run Time\",\"Status\"\n",
				L"\"タスク名\",\"次回の実行時刻\",\"状態\"\n"));
}

static void print_csv(const struct task *task)
{
	wchar_t host[64] = L"";
	DWORD size = 64;

	if (!o.verbose) {
		say(L"\"%ls\",\"N/A\",\"%ls\"\n", task->name, status_of(task));
		return;
	}
	GetComputerNameW(host, &size);
	say(L"\"%ls\",\"%ls\",\"N/A\",\"%ls\",\"%lu\",\"%ls %ls\",\"%ls\",\"%ls\"\n", host, task->name, status_of(task),
	    task_last_result(task), task->command, task->arguments, *task->folder ? task->folder : L"N/A",
	    task_enabled(task) ? in_language(L"Enabled", L"有効") : in_language(L"Disabled", L"無効"));
}

static void print_table_header(void)
{
	say(in_language(L"\nFolder: \\\nTaskName                                 Next Run Time          Status\n"
			L"======================================== ====================== ===============\n",
			L"\nフォルダー: \\\nタスク名                                 次回の実行時刻         状態\n"
			L"======================================== ====================== ===============\n"));
}

static void print(const struct task *task, bool first)
{
	if (o.xml) {
		if (o.name)
			say_task_xml(task);
		else
			say_listed_task_xml(task);
		return;
	}
	if (first && !o.no_header && o.format == CSV)
		csv_header();
	if (first && !o.no_header && o.format == TABLE)
		print_table_header();
	switch (o.format) {
	case CSV:
		print_csv(task);
		break;
	case TABLE:
		say(L"%-40.40ls %-22ls %-15ls\n", task->name + 1, L"N/A", status_of(task));
		break;
	case LIST:
		say(in_language(L"\nTaskName:      %ls\nNext Run Time: N/A\nStatus:        %ls\n",
				L"\nタスク名:       %ls\n次回の実行時刻: N/A\n状態:           %ls\n"),
		    task->name, status_of(task));
		break;
	}
}

static int query(void)
{
	struct task *tasks;
	bool found = false;

	int n = tasks_load(&tasks);
	if (n && o.xml && !o.name)
		say(L"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\n<Tasks>\n");
	for (int i = 0; i < n; i++) {
		if (o.name && !task_named(&tasks[i], o.name))
			continue;
		print(&tasks[i], !found);
		found = true;
	}
	if (!found && o.name)
		return no_such_task();
	if (n && o.xml && !o.name)
		say(L"</Tasks>\n");
	if (!found)
		say(in_language(
		    L"INFO: There are no scheduled tasks presently available at your access level.\n",
		    L"情報: お使いのアクセス レベルで現在利用できるスケジュールされたタスクはありません。\n"));
	return 0;
}

static int change(struct task *task)
{
	if (o.enable == o.disable)
		return failed(L"Invalid syntax. Type \"SCHTASKS /CHANGE /?\" for usage.", L"無効な構文です。");
	if (!task_set_enabled(task, o.enable))
		return failed(error_text(ERROR_ACCESS_DENIED), error_text(ERROR_ACCESS_DENIED));
	say(in_language(L"SUCCESS: The parameters of scheduled task \"%ls\" have been changed.\n",
			L"成功: スケジュール タスク \"%ls\" のパラメーターは変更されました。\n"),
	    o.name);
	return 0;
}

static int run(const struct task *task)
{
	if (!task_enabled(task))
		return failed(L"The scheduled task could not run because it is disabled.",
			      L"タスクが無効なため、実行できません。");
	if (!task_start(task))
		return failed(error_text(ERROR_ACCESS_DENIED), error_text(ERROR_ACCESS_DENIED));
	say(in_language(L"SUCCESS: Attempted to run the scheduled task \"%ls\".\n",
			L"成功: スケジュール タスク \"%ls\" の実行を試行しました。\n"),
	    o.name);
	return 0;
}

static int end(const struct task *task)
{
	task_end(task);
	say(in_language(L"SUCCESS: The scheduled task \"%ls\" has been terminated successfully.\n",
			L"成功: スケジュール タスク \"%ls\" は正しく中断されました。\n"),
	    o.name);
	return 0;
}

static int create(void)
{
	struct task *tasks;

	int n = tasks_load(&tasks);
	for (int i = 0; i < n; i++)
		if (task_named(&tasks[i], o.name) && !o.force)
			return failed(L"Cannot create a file when that file already exists.",
				      L"既に存在するファイルを作成することはできません。");
	if (!o.file || !task_create(o.name, o.file))
		return no_such_task();
	say(in_language(L"SUCCESS: The scheduled task \"%ls\" has successfully been created.\n",
			L"成功: スケジュール タスク \"%ls\" は正しく作成されました。\n"),
	    o.name);
	return 0;
}

static int delete_task(const struct task *task)
{
	DeleteFileW(task->path);
	say(in_language(L"SUCCESS: The scheduled task \"%ls\" was successfully deleted.\n",
			L"成功: スケジュール タスク \"%ls\" は正しく削除されました。\n"),
	    o.name);
	return 0;
}

static int act(void)
{
	struct task *tasks;

	int n = tasks_load(&tasks);
	for (int i = 0; i < n; i++) {
		if (!task_named(&tasks[i], o.name))
			continue;
		switch (o.action) {
		case CHANGE:
			return change(&tasks[i]);
		case RUN:
			return run(&tasks[i]);
		case END:
			return end(&tasks[i]);
		case DELETE_TASK:
			return delete_task(&tasks[i]);
		case RUNNER:
			return task_runner(&tasks[i]);
		case QUERY:
		case CREATE:
			break;
		}
	}
	return no_such_task();
}

static bool parse_format(const wchar_t *text)
{
	if (_wcsicmp(text, L"csv") == 0)
		o.format = CSV;
	else if (_wcsicmp(text, L"list") == 0)
		o.format = LIST;
	else
		return _wcsicmp(text, L"table") == 0;
	return true;
}

static bool parse_action(const wchar_t *word)
{
	static const wchar_t *const all[] = {L"/query",  L"/change", L"/run",   L"/end",
					     L"/create", L"/delete", L"/runner"};

	for (int i = 0; i < 7; i++) {
		if (_wcsicmp(word, all[i]) != 0)
			continue;
		o.action = (enum action)i;
		return true;
	}
	return false;
}

static bool parse_switch(const wchar_t *word)
{
	static const struct {
		const wchar_t *word;
		bool *flag;
	} all[] = {{L"/nh", &o.no_header},
		   {L"/v", &o.verbose},
		   {L"/enable", &o.enable},
		   {L"/disable", &o.disable},
		   {L"/f", &o.force}};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (_wcsicmp(word, all[i].word) != 0)
			continue;
		*all[i].flag = true;
		return true;
	}
	return false;
}

static bool parse(wchar_t **words)
{
	while (*++words) {
		if (parse_action(*words) || parse_switch(*words))
			continue;
		if (_wcsicmp(*words, L"/tn") == 0 && words[1])
			o.name = *++words;
		else if (_wcsicmp(*words, L"/fo") == 0 && words[1]) {
			if (!parse_format(*++words))
				return false;
		} else if (_wcsicmp(*words, L"/xml") == 0) {
			o.xml = true;
			if (words[1] && words[1][0] != L'/')
				o.file = *++words;
		} else
			return false;
	}
	return true;
}

int wmain(int count, wchar_t **words)
{
	if (count == 2 && _wcsicmp(words[1], L"/starter") == 0)
		return task_starter();
	if (!parse(words))
		return failed(L"Invalid argument/option.\nType \"SCHTASKS /?\" for usage.",
			      L"無効な引数またはオプションです。");
	if (o.action == QUERY)
		return query();
	if (!o.name)
		return failed(L"Invalid syntax. Mandatory option 'tn' is missing.",
			      L"無効な構文です。必須オプション 'tn' がありません。");
	return o.action == CREATE ? create() : act();
}
