#include "agents/win_text.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <iconv.h>
#include <string.h>
#include <strings.h>

/* ---- bytes ------------------------------------------------------------------------------------------------------ */

static bool is_utf8(const char *bytes, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n = utf8_next(bytes + at, len - at, NULL);

		if (!n)
			return false;
		at += n;
	}
	return true;
}

/* A byte of CP932 is at most three of UTF-8. */
static char *from_cp932(const char *bytes, size_t len)
{
	iconv_t convert = iconv_open("UTF-8", "CP932");
	size_t in_left = len, out_left = 3 * len;
	char *in = str_ndup(bytes, len), *out = mem_new(out_left + 1, 1), *from = in, *to = out;
	bool good = false;

	if (convert != (iconv_t)-1) {
		good = iconv(convert, &from, &in_left, &to, &out_left) != (size_t)-1 && in_left == 0;
		iconv_close(convert);
	}
	free(in);
	if (good)
		return out;
	free(out);
	return NULL;
}

char *win_text(const char *bytes, size_t len)
{
	if (len && memchr(bytes, '\0', len))
		return NULL;
	return is_utf8(bytes, len) ? str_ndup(bytes, len) : from_cp932(bytes, len);
}

char *win_text_shown(const char *bytes, size_t len)
{
	char *text = win_text(bytes, len);

	if (!text) {
		text = str_ndup(bytes, len);
		for (size_t i = 0; i < len; i++) {
			if ((unsigned char)text[i] >= 0x80)
				text[i] = '?';
		}
	}
	for (char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return text;
}

bool win_line(const char *text, size_t len, size_t *at, const char **line, size_t *line_len)
{
	const char *start = text + *at, *end;

	if (*at >= len)
		return false;
	end = memchr(start, '\n', len - *at);
	*line = start;
	*line_len = end ? (size_t)(end - start) : len - *at;
	*at += *line_len + (end != NULL);
	while (*line_len && strchr("\r \t", start[*line_len - 1]))
		(*line_len)--;
	return true;
}

bool win_ended(const char *text, size_t len)
{
	const char *line;
	size_t at = 0, line_len;
	bool ended = false;

	while (win_line(text, len, &at, &line, &line_len))
		ended = line_len == 3 && memcmp(line, "end", 3) == 0;
	return ended;
}

/* ---- paths ------------------------------------------------------------------------------------------------------ */

bool win_is_argument(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f || strchr("\"%^", *text))
			return false;
	}
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_separator(char c)
{
	return c == '\\' || c == '/';
}

bool win_is_path(const char *path)
{
	bool drive = is_letter(path[0]) && path[1] == ':' && is_separator(path[2]);
	bool share = path[0] == '\\' && path[1] == '\\' && path[2] && !is_separator(path[2]);

	return (drive || share) && strlen(path) <= WIN_PATH_MAX && win_is_argument(path) && !strpbrk(path, "<>|*?") &&
	       !strchr(path + 2, ':');
}

static bool ends_with_separator(const char *path)
{
	return *path && is_separator(path[strlen(path) - 1]);
}

char *win_join(const char *folder, const char *name)
{
	return str_fmt("%s%s%s", folder, ends_with_separator(folder) ? "" : "\\", name);
}

const char *win_name(const char *path)
{
	const char *name = path;

	for (; *path; path++) {
		if (is_separator(*path))
			name = path + 1;
	}
	return name;
}

char *win_folder(const char *path)
{
	size_t len = (size_t)(win_name(path) - path);

	if (len > 1 && path[len - 2] != ':')
		len--;
	return str_ndup(path, len);
}

static char folded(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 'a' - 'A');
	return c == '/' ? '\\' : c;
}

/* Without the separator at the end. */
static size_t bare_length(const char *path)
{
	return strlen(path) - (path[0] && path[1] && ends_with_separator(path));
}

bool win_same(const char *a, const char *b)
{
	size_t len = bare_length(a);

	if (len != bare_length(b))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (folded(a[i]) != folded(b[i]))
			return false;
	}
	return true;
}

/* ---- command lines ---------------------------------------------------------------------------------------------- */

/* The length of the program's path at the beginning of a command line without quotes. */
static size_t unquoted_length(const char *line)
{
	for (const char *at = line; *at; at++) {
		if (strncasecmp(at, ".exe", 4) == 0 && (!at[4] || at[4] == ' ' || at[4] == '\t'))
			return (size_t)(at - line) + 4;
	}
	return strcspn(line, " \t");
}

char *win_program(const char *line)
{
	size_t len;
	char *path;

	line += strspn(line, " \t");
	if (*line == '"') {
		line++;
		len = strcspn(line, "\"");
	} else {
		len = unquoted_length(line);
	}
	if (len > 4 && strncmp(line, "\\??\\", 4) == 0) {
		line += 4;
		len -= 4;
	}
	path = str_ndup(line, len);
	if (win_is_path(path))
		return path;
	free(path);
	return NULL;
}
