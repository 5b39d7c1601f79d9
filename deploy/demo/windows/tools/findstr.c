/*
 * findstr.exe: lines that have a text in them (Wine's prints nothing and says 0).
 *
 *     findstr [/b] [/e] [/x] [/i] [/v] [/n] [/m] [/l | /r] [/c:TEXT]... [TEXTS] [FILE]...
 *
 * TEXTS are several, with blanks between them. A text is a regular expression as findstr has them (. * ^ $ [a-z] [^a]
 * \x), unless /l is given. /c:TEXT is one text with its blanks, taken literally unless /r is given. No FILE is stdin; a
 * FILE's last part may have * and ?. Bytes, not characters. Exit code 0: found, 1: not found or no such file, 2: usage.
 */
#include "lib_text.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS_MAX 64
#define PATTERN_BYTES 512
#define FILE_MAX_BYTES (64u << 20)

static struct {
	bool begin, end, exact, any_case, inverse, numbers, names_only, literal, regular;
	char patterns[PATTERNS_MAX][PATTERN_BYTES];
	bool is_regular[PATTERNS_MAX];
	int count;
} o;

static bool found_any;

static bool same(char a, char b)
{
	if (o.any_case && (a | 32) >= 'a' && (a | 32) <= 'z')
		return (a | 32) == (b | 32);
	return a == b;
}

/* [abc], [a-z], [^a]; *next is behind the bracket. */
static bool in_class(const char *p, char c, const char **next)
{
	bool negated = p[1] == '^', hit = false;
	const char *q = p + 1 + negated;

	for (; *q && *q != ']'; q++) {
		if (q[1] == '-' && q[2] && q[2] != ']') {
			char low = o.any_case ? (char)(c | 32) : c;
			hit = hit || (c >= q[0] && c <= q[2]) || (low >= q[0] && low <= q[2]);
			q += 2;
		} else {
			hit = hit || same(*q, c);
		}
	}
	*next = *q ? q + 1 : q;
	return hit != negated;
}

/* One element of a pattern against one byte. */
static bool element(const char *p, char c, const char **next)
{
	if (*p == '[')
		return in_class(p, c, next);
	if (*p == '\\' && p[1]) {
		*next = p + 2;
		return same(p[1], c);
	}
	*next = p + 1;
	return *p == '.' || same(*p, c);
}

static bool match_here(const char *p, const char *text, const char *end)
{
	const char *next;

	if (*p == 0)
		return !(o.end || o.exact) || text == end;
	if (*p == '$' && p[1] == 0)
		return text == end;
	element(p, 'x', &next);
	if (*next == '*') {
		for (const char *t = text;; t++) {
			if (match_here(next + 1, t, end))
				return true;
			if (t == end || !element(p, *t, &next))
				return false;
		}
	}
	return text < end && element(p, *text, &next) && match_here(next, text + 1, end);
}

static bool match_literal(const char *p, const char *text, const char *end)
{
	for (; *p; p++, text++)
		if (text == end || !same(*p, *text))
			return false;
	return !(o.end || o.exact) || text == end;
}

static bool match(int i, const char *text, const char *end)
{
	const char *p = o.patterns[i];
	bool anchored = o.begin || o.exact || (o.is_regular[i] && *p == '^');

	if (o.is_regular[i] && *p == '^')
		p++;
	for (const char *t = text; t <= end; t++) {
		if (o.is_regular[i] ? match_here(p, t, end) : match_literal(p, t, end))
			return true;
		if (anchored)
			return false;
	}
	return false;
}

/* With `name`: before each line, where there are several files. False ends the search of this file. */
static bool search_line(const char *line, const char *end, unsigned long number, const char *name)
{
	bool hit = false;
	char prefix[MAX_PATH + 32] = "";

	for (int i = 0; i < o.count && !hit; i++)
		hit = match(i, line, end);
	if (hit == o.inverse)
		return true;
	found_any = true;
	if (o.names_only) {
		if (name) {
			say_bytes(name, strlen(name));
			say_bytes("\r\n", 2);
		}
		return false;
	}
	if (name)
		snprintf(prefix, sizeof prefix, "%s:", name);
	if (o.numbers)
		snprintf(prefix + strlen(prefix), 16, "%lu:", number);
	say_bytes(prefix, strlen(prefix));
	say_bytes(line, (size_t)(end - line));
	say_bytes("\r\n", 2);
	return true;
}

static void search(FILE *file, const char *name)
{
	size_t size = 0, room = 65536;
	char *text = malloc(room + 1);
	unsigned long number = 0;

	for (size_t n; text && (n = fread(text + size, 1, room - size, file)) > 0 && size < FILE_MAX_BYTES;)
		if ((size += n) == room)
			text = realloc(text, (room *= 2) + 1);
	for (const char *line = text, *stop = text + size; text && line < stop;) {
		const char *end = memchr(line, '\n', (size_t)(stop - line)), *next = end ? end + 1 : stop;
		if (!end)
			end = stop;
		if (end > line && end[-1] == '\r')
			end--;
		if (!search_line(line, end, ++number, name))
			break;
		line = next;
	}
	free(text);
}

static void to_bytes(const wchar_t *text, char *bytes, size_t size)
{
	if (WideCharToMultiByte(japanese() ? 932 : 437, 0, text, -1, bytes, (int)size, NULL, NULL) == 0)
		bytes[0] = 0;
}

static bool search_path(const wchar_t *path, bool with_names)
{
	wchar_t whole[MAX_PATH];
	WIN32_FIND_DATAW entry;
	char name[MAX_PATH * 2];
	bool some = false;

	const wchar_t *slash = wcsrchr(path, L'\\');
	int folder = slash ? (int)(slash - path + 1) : 0;
	HANDLE find = FindFirstFileW(path, &entry);
	for (BOOL more = find != INVALID_HANDLE_VALUE; more; more = FindNextFileW(find, &entry)) {
		if (entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
			continue;
		_snwprintf(whole, MAX_PATH - 1, L"%.*ls%ls", folder, path, entry.cFileName);
		FILE *file = _wfopen(whole, L"rb");
		if (!file)
			continue;
		some = true;
		to_bytes(whole, name, sizeof name);
		search(file, with_names || wcspbrk(path, L"*?") || o.names_only ? name : NULL);
		fclose(file);
	}
	if (find != INVALID_HANDLE_VALUE)
		FindClose(find);
	if (!some)
		complain(in_language(L"FINDSTR: Cannot open %ls\n", L"FINDSTR: %ls を開けません。\n"), path);
	return some;
}

static void add_pattern(const wchar_t *text, bool regular)
{
	if (o.count == PATTERNS_MAX)
		return;
	o.is_regular[o.count] = regular;
	to_bytes(text, o.patterns[o.count++], PATTERN_BYTES);
}

static bool parse_option(const wchar_t *word)
{
	for (const wchar_t *c = word + 1; *c; c++) {
		switch (towlower(*c)) {
		case L'b':
			o.begin = true;
			break;
		case L'e':
			o.end = true;
			break;
		case L'x':
			o.exact = true;
			break;
		case L'i':
			o.any_case = true;
			break;
		case L'v':
			o.inverse = true;
			break;
		case L'n':
			o.numbers = true;
			break;
		case L'm':
			o.names_only = true;
			break;
		case L'l':
			o.literal = true;
			break;
		case L'r':
			o.regular = true;
			break;
		default:
			complain(L"FINDSTR: /%lc ignored\n", *c);
			return false;
		}
	}
	return true;
}

static void add_words(const wchar_t *texts)
{
	wchar_t word[PATTERN_BYTES];

	for (const wchar_t *t = texts; *(t += wcsspn(t, L" ")); t += wcscspn(t, L" ")) {
		_snwprintf(word, PATTERN_BYTES - 1, L"%.*ls", (int)wcscspn(t, L" "), t);
		word[PATTERN_BYTES - 1] = 0;
		add_pattern(word, !o.literal);
	}
}

/* The words that are neither options nor texts stay, behind words[0]; how many is the result. */
static int parse(wchar_t **words)
{
	const wchar_t *given[PATTERNS_MAX], *texts = NULL;
	int rest = 0, n = 0;

	for (int i = 1; words[i]; i++) {
		if (_wcsnicmp(words[i], L"/c:", 3) == 0 && n < PATTERNS_MAX)
			given[n++] = words[i] + 3;
		else if (words[i][0] == L'/')
			parse_option(words[i]);
		else
			words[++rest] = words[i];
	}
	for (int i = 0; i < n; i++)
		add_pattern(given[i], o.regular);
	if (n == 0 && rest > 0) {
		texts = words[1];
		memmove(words + 1, words + 2, (size_t)--rest * sizeof *words);
		add_words(texts);
	}
	return rest;
}

int wmain(int count, wchar_t **words)
{
	(void)count;
	int files = parse(words);
	if (o.count == 0) {
		complain(
		    in_language(L"FINDSTR: Bad command line\n", L"FINDSTR: コマンド ラインが正しくありません。\n"));
		return 2;
	}
	_setmode(_fileno(stdin), _O_BINARY);
	if (files == 0)
		search(stdin, NULL);
	for (int i = 1; i <= files; i++)
		search_path(words[i], files > 1);
	return found_any ? 0 : 1;
}
