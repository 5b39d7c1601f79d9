#include "transport/ssh_win_text.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "transport/ssh_marks.h"

#include <ctype.h>
#include <string.h>

static bool is_utf8(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		size_t n = utf8_next(text, len, NULL);
		if (!n)
			return false;
		text += n;
		len -= n;
	}
	return true;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static bool is_separator(char c)
{
	return c == '\\' || c == '/';
}

/* The part of a path from `at` up to the next separator. */
static const char *component_fault(const char *at, size_t len)
{
	if (!len)
		return "it has an empty part";
	if (at[len - 1] == '.' || at[len - 1] == ' ')
		return "a part of it ends with a dot or a blank, which Windows drops";
	return NULL;
}

static const char *path_fault(const char *path)
{
	const char *fault = NULL;

	if (!isalpha((unsigned char)path[0]) || path[1] != ':' || !is_separator(path[2]))
		return "it is no path of a drive, like C:\\folder\\file";
	if (strlen(path) > WIN_PATH_MAX)
		return "it is too long";
	if (!is_utf8(path) || has_control(path))
		return "it has control characters, or is no UTF-8";
	if (strpbrk(path + 3, ":*?\"<>|"))
		return "it has a character that no file's name has";
	for (const char *at = path + 3; !fault; at++) {
		size_t len = strcspn(at, "\\/");
		fault = component_fault(at, len);
		at += len;
		if (!*at)
			break;
	}
	return fault;
}

int ssh_win_path_check(const char *path, struct err *err)
{
	const char *fault = path ? path_fault(path) : "there is none";

	if (!fault)
		return 0;
	return err_set(err, E_INVAL, "the path \"%.200s\" cannot be used on a Windows host: %s", path ? path : "",
		       fault);
}

char *ssh_win_path_to_sftp(const char *path)
{
	char *text = str_fmt("/%s", path);

	for (char *at = text; *at; at++)
		if (*at == '\\')
			*at = '/';
	return text;
}

char *ssh_win_path_from_sftp(const char *path, size_t len)
{
	char *text;

	if (len < 4 || path[0] != '/' || !isalpha((unsigned char)path[1]) || path[2] != ':' || path[3] != '/')
		return str_ndup(path, len);
	text = str_ndup(path + 1, len - 1);
	for (char *at = text; *at; at++)
		if (*at == '/')
			*at = '\\';
	return text;
}

const char *ssh_win_path_name(const char *path)
{
	const char *name = path;

	for (; *path; path++)
		if (is_separator(*path))
			name = path + 1;
	return name;
}

char *ssh_win_path_beside(const char *path, const char *name)
{
	return str_fmt("%.*s%s", (int)(ssh_win_path_name(path) - path), path, name);
}

static const char *argument_fault(const char *arg)
{
	if (strpbrk(arg, "\"%\r\n"))
		return "a quote, a percent sign or a line's end";
	if (has_control(arg))
		return "a control character";
	return is_utf8(arg) ? NULL : "bytes that are no UTF-8";
}

static const char *line_fault(const char *line)
{
	if (strpbrk(line, "\r\n"))
		return "it has more than one line";
	if (has_control(line))
		return "it has a control character";
	return is_utf8(line) ? NULL : "it is no UTF-8";
}

static int check_run(const struct op *op, struct err *err)
{
	size_t len = 0;

	if (!op->script)
		return err_set(err, E_INVAL, "no script");
	for (int i = 0; i < op->args_n; i++) {
		const char *fault = argument_fault(op->args[i]);
		if (fault)
			return err_set(err, E_INVAL, "the argument \"%.200s\" has %s, which cannot be given to cmd.exe",
				       op->args[i], fault);
		len += strlen(op->args[i]) + 3;
	}
	if (len > WIN_LINE_MAX - 100)
		return err_set(err, E_LIMIT, "the arguments are longer than cmd.exe takes (%d characters)",
			       WIN_LINE_MAX);
	return 0;
}

static int check_exec(const struct op *op, struct err *err)
{
	const char *fault = op->command && *op->command ? line_fault(op->command) : "there is none";

	if (fault)
		return err_set(err, E_INVAL, "the command cannot be given to cmd.exe: %s", fault);
	if (strlen(op->command) > WIN_LINE_MAX - 100)
		return err_set(err, E_LIMIT, "the command is longer than cmd.exe takes (%d characters)", WIN_LINE_MAX);
	return 0;
}

/* The path is an argument of replace.cmd; the backup's name, one of a file in the same folder. */
static int check_replace(const struct op *op, struct err *err)
{
	char *backup;
	int r = ssh_win_path_check(op->path, err);

	if (!r && strchr(op->path, '%'))
		r = err_set(err, E_INVAL, "the path \"%.200s\" has a percent sign, which cannot be given to cmd.exe",
			    op->path);
	if (r || !op->backup)
		return r;
	backup = ssh_win_path_beside(op->path, op->backup);
	r = strpbrk(op->backup, "\\/") ? err_set(err, E_INVAL, "the backup \"%.200s\" is no name of a file", op->backup)
				       : ssh_win_path_check(backup, err);
	free(backup);
	return r;
}

int ssh_win_op_check(const struct op *op, struct err *err)
{
	switch (op->kind) {
	case OP_RUN:
		return check_run(op, err);
	case OP_EXEC:
		return check_exec(op, err);
	case OP_GET:
		return ssh_win_path_check(op->path, err);
	case OP_REPLACE:
		return check_replace(op, err);
	case OP_HTTP:
		return err_set(err, E_INVAL, "a host is not asked for a web page");
	case OP_SMTP:
		return err_set(err, E_INVAL, "a host is not asked for its mail");
	}
	return err_set(err, E_INVAL, "an unknown kind");
}

char *ssh_win_root_of(const char *words)
{
	size_t len = strlen(words);

	if (len < 6 || *words != '"' || words[len - 1] != '"' || !isalpha((unsigned char)words[1]) || words[2] != ':')
		return NULL;
	for (const char *at = words + 3; at < words + len - 1; at++)
		if (!isalnum((unsigned char)*at) && *at != '\\' && *at != '_' && *at != '-')
			return NULL;
	if (words[3] != '\\' || words[len - 2] == '\\')
		return NULL;
	return str_ndup(words + 1, len - 2);
}

bool ssh_win_is_private_folder(const char *name, size_t len)
{
	static const char prefix[] = "cutover-";
	size_t at = sizeof(prefix) - 1;

	if (len != at + SSH_NONCE_MAX - 1 || memcmp(name, prefix, at) != 0)
		return false;
	while (at < len && strchr("0123456789abcdef", name[at]) && name[at])
		at++;
	return at == len;
}

/* NAMENUMBER.SUFFIX, as all of ssh_win_*.c write them. */
bool ssh_win_is_private_file(const char *name, size_t len)
{
	static const struct {
		char letter;
		const char *suffix;
	} numbered[] = {{'s', ".cmd"}, {'r', ".cmd"}, {'i', ""}, {'o', ""}, {'e', ""}, {'x', ".txt"}};
	size_t digits = 0;

	if ((len == 8 && memcmp(name, "exec.cmd", len) == 0) || (len == 1 && *name == 't'))
		return true;
	while (1 + digits < len && isdigit((unsigned char)name[1 + digits]))
		digits++;
	for (size_t i = 0; digits && i < ARRAY_LEN(numbered); i++)
		if (*name == numbered[i].letter && len - 1 - digits == strlen(numbered[i].suffix) &&
		    memcmp(name + 1 + digits, numbered[i].suffix, len - 1 - digits) == 0)
			return true;
	return false;
}

bool ssh_win_is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

void ssh_win_text_script(struct buf *out, const struct embedded *script)
{
	const char *at = script->data, *end = at + script->len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);
		buf_add(out, at, len && at[len - 1] == '\r' ? len - 1 : len);
		buf_adds(out, "\r\n");
		at += len + 1;
	}
}

/* In a batch file a percent sign is written twice. */
static void add_quoted(struct buf *out, const char *arg)
{
	buf_adds(out, " \"");
	for (; *arg; arg++) {
		if (*arg == '%')
			buf_addc(out, '%');
		buf_addc(out, *arg);
	}
	buf_addc(out, '"');
}

void ssh_win_text_run(struct buf *out, const char *folder, unsigned script, char *const *args, int args_n)
{
	buf_addf(out, "@%s\\s%u.cmd", folder, script);
	for (int i = 0; i < args_n; i++)
		add_quoted(out, args[i]);
	buf_adds(out, "\r\n");
}

/* A line that begins with ";" would be a comment for `for /f`. */
void ssh_win_text_command(struct buf *out, const char *command)
{
	buf_addf(out, " %s\r\n", command);
}

static void add_end(struct buf *out, const struct ssh_win_line *line)
{
	buf_addf(out, "& echo @%s %u done\r\n", line->nonce, line->number);
}

/* %^errorlevel% is no variable when the line is read; `call` takes the caret away and expands once more: the code that
   the command has left. */
static void add_code(struct buf *out, const struct ssh_win_line *line)
{
	buf_addf(out, "& call echo @%s %u code %%^errorlevel%%", line->nonce, line->number);
}

void ssh_win_line(struct buf *out, const struct ssh_win_line *line, const char *text)
{
	buf_adds(out, text);
	add_code(out, line);
	add_end(out, line);
}

void ssh_win_line_run(struct buf *out, const struct ssh_win_line *line, const char *folder, unsigned request,
		      bool input, unsigned page)
{
	if (page)
		buf_adds(out, WIN_UTF8);
	buf_addf(out, WIN_CMD " %s\\r%u.cmd <", folder, request);
	if (input)
		buf_addf(out, "%s\\i%u", folder, request);
	else
		buf_adds(out, "nul");
	buf_addf(out, " >%s\\o%u 2>%s\\e%u", folder, request, folder, request);
	add_code(out, line);
	buf_addf(out, "& (for %%f in (%s\\o%u %s\\e%u) do @echo @%s %u size %%~zf)", folder, request, folder, request,
		 line->nonce, line->number);
	if (page)
		buf_addf(out, "& chcp %u >nul", page);
	add_end(out, line);
}

/* chcp says "Active code page: 932" in the language of the host, some with a full stop behind it. */
void ssh_win_line_hello(struct buf *out, const struct ssh_win_line *line)
{
	buf_addf(out, "echo @%s %u root \"%%SystemRoot%%\"", line->nonce, line->number);
	buf_addf(out, "& (for /f \"tokens=2 delims=:.\" %%c in ('chcp') do @echo @%s %u page %%c)", line->nonce,
		 line->number);
	add_end(out, line);
}
