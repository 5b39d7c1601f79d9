#include "lib_text.h"
#include "tasks.h"

#include <stdio.h>
#include <stdlib.h>

#define FOLDER L"C:\\windows\\system32\\Tasks"
#define XML_MAX_CHARS (256u << 10)
#define TASKS_MAX 200

static struct task all[TASKS_MAX];
static int count;

/* UTF-16 with or without its mark, else UTF-8. A NUL behind it. */
static wchar_t *read_text(const wchar_t *path)
{
	char *bytes = calloc(XML_MAX_CHARS, sizeof(wchar_t));
	wchar_t *text = calloc(XML_MAX_CHARS, sizeof(wchar_t));
	FILE *file = _wfopen(path, L"rb");

	if (!file || !bytes || !text)
		return NULL;
	size_t n = fread(bytes, 1, (XML_MAX_CHARS - 1) * sizeof(wchar_t), file);
	fclose(file);
	if (n >= 2 && ((bytes[0] == '\xff' && bytes[1] == '\xfe') || bytes[1] == 0))
		_snwprintf(text, XML_MAX_CHARS - 1, L"%ls", (wchar_t *)bytes + (bytes[0] == '\xff'));
	else
		MultiByteToWideChar(CP_UTF8, 0, bytes, (int)n, text, XML_MAX_CHARS - 1);
	free(bytes);
	return text;
}

static bool write_text(const wchar_t *path, const wchar_t *text)
{
	FILE *file = _wfopen(path, L"wb");

	if (!file)
		return false;
	fwrite(L"\xfeff", sizeof(wchar_t), 1, file);
	size_t n = wcslen(text);
	bool whole = fwrite(text, sizeof(wchar_t), n, file) == n;
	return fclose(file) == 0 && whole;
}

/* What is between <NAME> and </NAME>, from `from` on; NULL where there is none. */
static const wchar_t *find_element(const wchar_t *from, const wchar_t *name, size_t *size)
{
	wchar_t open[64], close[64];

	_snwprintf(open, 63, L"<%ls>", name);
	_snwprintf(close, 63, L"</%ls>", name);
	const wchar_t *start = from ? wcsstr(from, open) : NULL;
	if (!start)
		return NULL;
	start += wcslen(open);
	const wchar_t *stop = wcsstr(start, close);
	*size = stop ? (size_t)(stop - start) : 0;
	return stop ? start : NULL;
}

static wchar_t *element_text(const wchar_t *from, const wchar_t *name)
{
	static const struct {
		const wchar_t *entity;
		wchar_t is;
	} entities[] = {{L"&amp;", L'&'}, {L"&lt;", L'<'}, {L"&gt;", L'>'}, {L"&quot;", L'"'}, {L"&apos;", L'\''}};
	size_t size = 0, n = 0;
	const wchar_t *text = find_element(from, name, &size);
	wchar_t *copy = calloc(size + 1, sizeof(wchar_t));

	for (size_t i = 0; text && copy && i < size; n++) {
		copy[n] = text[i++];
		for (size_t e = 0; e < 5 && copy[n] == L'&'; e++) {
			size_t length = wcslen(entities[e].entity);
			if (wcsncmp(text + i - 1, entities[e].entity, length) != 0)
				continue;
			copy[n] = entities[e].is;
			i += length - 1;
			break;
		}
	}
	return copy;
}

static void load_folder(const wchar_t *folder)
{
	wchar_t pattern[MAX_PATH];
	WIN32_FIND_DATAW entry;

	_snwprintf(pattern, MAX_PATH - 1, L"%ls\\*", folder);
	HANDLE find = FindFirstFileW(pattern, &entry);
	for (BOOL more = find != INVALID_HANDLE_VALUE; more && count < TASKS_MAX; more = FindNextFileW(find, &entry)) {
		wchar_t path[MAX_PATH];
		_snwprintf(path, MAX_PATH - 1, L"%ls\\%ls", folder, entry.cFileName);
		if (entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
			if (entry.cFileName[0] != L'.')
				load_folder(path);
			continue;
		}
		struct task *task = &all[count++];
		*task = (struct task){.xml = read_text(path)};
		_snwprintf(task->path, MAX_PATH - 1, L"%ls", path);
		_snwprintf(task->name, MAX_PATH - 1, L"%ls", path + wcslen(FOLDER));
		const wchar_t *exec = task->xml ? wcsstr(task->xml, L"<Exec") : NULL;
		task->command = element_text(exec, L"Command");
		task->arguments = element_text(exec, L"Arguments");
		task->folder = element_text(exec, L"WorkingDirectory");
		if (!task->xml)
			count--;
	}
	if (find != INVALID_HANDLE_VALUE)
		FindClose(find);
}

static int by_name(const void *a, const void *b)
{
	return _wcsicmp(((const struct task *)a)->name, ((const struct task *)b)->name);
}

int tasks_load(struct task **tasks)
{
	count = 0;
	load_folder(FOLDER);
	qsort(all, (size_t)count, sizeof *all, by_name);
	*tasks = all;
	return count;
}

bool task_named(const struct task *task, const wchar_t *name)
{
	return _wcsicmp(task->name + 1, name + (name[0] == L'\\')) == 0;
}

/* Triggers have an <Enabled> of their own, so it counts only within <Settings>. */
static const wchar_t *find_enabled(const struct task *task, size_t *size)
{
	size_t settings_size, at;
	const wchar_t *settings = find_element(task->xml, L"Settings", &settings_size);

	const wchar_t *value = find_element(settings, L"Enabled", &at);
	if (!value || value > settings + settings_size)
		return NULL;
	*size = at;
	return value;
}

bool task_enabled(const struct task *task)
{
	size_t size;
	const wchar_t *value = find_enabled(task, &size);

	return !value || wcsncmp(value, L"false", 5) != 0;
}

bool task_set_enabled(struct task *task, bool enabled)
{
	const wchar_t *word = enabled ? L"true" : L"false";
	size_t size = 0, settings_size, room = wcslen(task->xml) + 64;
	wchar_t *text = calloc(room, sizeof(wchar_t));
	const wchar_t *value = find_enabled(task, &size),
		      *settings = find_element(task->xml, L"Settings", &settings_size);

	if (!text || (!value && !settings))
		return false;
	if (value)
		_snwprintf(text, room - 1, L"%.*ls%ls%ls", (int)(value - task->xml), task->xml, word, value + size);
	else
		_snwprintf(text, room - 1, L"%.*ls\r\n    <Enabled>%ls</Enabled>%ls", (int)(settings - task->xml),
			   task->xml, word, settings);
	task->xml = text;
	return write_text(task->path, text);
}

/* The folders in the name are made, as Windows does. */
bool task_create(const wchar_t *name, const wchar_t *file)
{
	wchar_t path[MAX_PATH];
	wchar_t *text = read_text(file);

	if (!text)
		return false;
	CreateDirectoryW(FOLDER, NULL);
	_snwprintf(path, MAX_PATH - 1, L"%ls\\%ls", FOLDER, name + (name[0] == L'\\'));
	path[MAX_PATH - 1] = 0;
	for (wchar_t *slash = path + wcslen(FOLDER) + 1; (slash = wcschr(slash, L'\\')); slash++) {
		*slash = 0;
		CreateDirectoryW(path, NULL);
		*slash = L'\\';
	}
	return write_text(path, text);
}

static void say_text(const wchar_t *text)
{
	size_t chars = wcslen(text);
	char *bytes = malloc(chars * 4 + 1);

	if (!bytes)
		return;
	int size = WideCharToMultiByte(japanese() ? 932 : 437, 0, text, (int)chars, bytes, (int)chars * 4, NULL, NULL);
	say_bytes(bytes, (size_t)size);
	say_bytes("\r\n", 2);
	free(bytes);
}

void say_task_xml(const struct task *task)
{
	say_text(task->xml);
}

void say_listed_task_xml(const struct task *task)
{
	wchar_t comment[MAX_PATH + 16];
	const wchar_t *definition = wcsstr(task->xml, L"<Task");

	_snwprintf(comment, MAX_PATH + 15, L"<!-- %ls -->", task->name);
	say_text(comment);
	if (definition)
		say_text(definition);
}
