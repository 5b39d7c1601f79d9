#include "agents/ruby_windows.h"

#include "agents/script.h"
#include "agents/win_tasklist.h"
#include "agents/win_text.h"

#include "base/alloc.h"

#define CONFIG_NAME "imhs-config.rb"
#define SHOWN 10

/* ---- find ------------------------------------------------------------------------------------------------------- */

/* The folder of the inventory's `path`, which may be its imhs-config.rb; NULL: none. The caller frees. */
static char *named_folder(const struct agent_ctx *ctx)
{
	const char *path = agent_param(ctx, "path");
	size_t len;

	if (!path)
		return NULL;
	if (win_same(win_name(path), CONFIG_NAME))
		return win_folder(path);
	len = strlen(path);
	/* `"C:\x\"` would quote the quote for some programs */
	return str_ndup(path, len - (len > 3 && (path[len - 1] == '\\' || path[len - 1] == '/')));
}

enum step_request win_find_look(const struct agent_ctx *ctx, struct op *op)
{
	char *folder = named_folder(ctx);

	if (folder && !win_is_path(folder)) {
		free(folder);
		return OP_END;
	}
	script_op(op, "client-find.cmd");
	op->timeout_ms = 150000;
	if (folder)
		op_arg(op, folder);
	free(folder);
	return OP_DO;
}

/* The rest of a line that begins with that word and a blank, as text; NULL: another line, or none that can be read. */
static char *rest_of(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	if (len <= n || strncmp(line, word, n) != 0 || line[n] != ' ')
		return NULL;
	return win_text(line + n + 1, len - n - 1);
}

/* The path in a line `file PATH`, when it is a file of that name; the caller frees. */
static char *file_of(const char *line, size_t len, const char *name)
{
	char *path = rest_of(line, len, "file");

	if (path && win_same(win_name(path), name))
		return path;
	free(path);
	return NULL;
}

/* The first program of the client that is said to be in the folder; "" for none. */
static const char *program_in(const char *text, size_t len, const char *folder)
{
	static const char *const names[] = {"imhs-ws-client.rb", "imhs-ws-clinet.rb"};
	const char *line;
	size_t at, line_len;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool found = false;

		for (at = 0; !found && win_line(text, len, &at, &line, &line_len);) {
			char *path = file_of(line, line_len, names[i]), *its_folder = path ? win_folder(path) : NULL;

			found = its_folder && win_same(its_folder, folder);
			free(its_folder);
			free(path);
		}
		if (found)
			return names[i];
	}
	return "";
}

struct verdict win_found(const struct agent_ctx *ctx, const struct op_result *result)
{
	const char *line, *text = buf_str(&result->out);
	struct verdict verdict;
	size_t at = 0, len;

	if (!script_lines_answered(result, "the client could not be looked for", &verdict))
		return verdict;
	facts_set_text(ctx->now, "client.n", "0");
	facts_set_text(ctx->now, "client.complete", "yes");
	while (win_line(text, result->out.len, &at, &line, &len)) {
		char *path = file_of(line, len, CONFIG_NAME), *folder = path ? win_folder(path) : NULL;
		char *readable = rest_of(line, len, "file");

		if (folder && win_is_path(folder))
			client_add(ctx->now, folder, folder, program_in(text, result->out.len, folder), "");
		else if (folder || (!readable && len > 5 && strncmp(line, "file ", 5) == 0))
			facts_set_text(ctx->now, "client.complete", "unreadable");
		free(readable);
		free(folder);
		free(path);
	}
	return verdict_ok();
}

/* ---- running? --------------------------------------------------------------------------------------------------- */

struct verdict win_running(const struct agent_ctx *ctx, const struct op_result *result)
{
	struct tasklist_process process;
	struct buf list = {.max = 600};
	struct verdict verdict;
	size_t at = 0;
	int n = 0;

	if (!script_lines_answered(result, "tasklist.exe cannot say whether Ruby is running", &verdict))
		return verdict;
	while (tasklist_next(buf_str(&result->out), result->out.len, &at, &process)) {
		if (n++ < SHOWN)
			buf_addf(&list, "%s%u (%s)", n > 1 ? ", " : "", process.pid, process.name);
	}
	if (n > SHOWN)
		buf_addf(&list, " and %d more", n - SHOWN);
	facts_setf(ctx->now, "running.n", "%d", n);
	facts_set_text(ctx->now, "running.list", buf_str(&list));
	buf_release(&list);
	return verdict_ok();
}

/* ---- Ruby ------------------------------------------------------------------------------------------------------- */

struct verdict win_ruby_found(const struct agent_ctx *ctx, const struct op_result *result)
{
	const char *line, *text = buf_str(&result->out);
	struct verdict verdict;
	size_t at = 0, len;

	if (!script_lines_answered(result, "Ruby could not be looked for", &verdict))
		return verdict;
	while (win_line(text, result->out.len, &at, &line, &len)) {
		char *path = rest_of(line, len, "path"), *version = rest_of(line, len, "ruby");

		if (path && win_is_path(path))
			facts_set_text(ctx->now, "ruby.path", path);
		if (version)
			facts_setf(ctx->now, "ruby.version", "ruby %s", version);
		free(path);
		free(version);
	}
	/* one that cannot say its version is none */
	if (!facts_get(ctx->now, "ruby.version") || !facts_get(ctx->now, "ruby.path"))
		facts_unset(ctx->now, "ruby.path");
	else
		facts_setf(ctx->now, "ruby.run", "\"%s\" %s", facts_text(ctx->now, "ruby.path", ""),
			   facts_text(ctx->now, "client.script", ""));
	return verdict_ok();
}

/* ---- run it ----------------------------------------------------------------------------------------------------- */

void win_run_op(const struct agent_ctx *ctx, struct op *op, const char *command)
{
	op->kind = OP_EXEC;
	op->elevated = true;
	op->command = str_fmt("cd /d \"%s\" && %s", facts_text(ctx->now, "client.real", ""), command);
}

struct verdict win_was_run(const struct agent_ctx *ctx, const struct op_result *result, const char *command)
{
	const char *folder = facts_text(ctx->now, "client.real", "");
	struct verdict verdict = verdict_ok();
	char *words = script_words_windows(result);

	if (result->failure.code)
		verdict = verdict_fail(result->failure.code, "the client could not be run: %s", result->failure.text);
	else if (result->exit_code)
		verdict = verdict_fail(
		    E_IO,
		    "the client ended with code %ld: %s; the new name is in its file: try `%s` in %s, then "
		    "run cutover again",
		    (long)result->exit_code, words, command, folder);
	free(words);
	return verdict;
}

/* ---- assess ----------------------------------------------------------------------------------------------------- */

bool win_assess(const struct agent_ctx *ctx, struct assessment *out)
{
	const char *user = agent_param(ctx, "run_as"), *run = agent_param(ctx, "run");
	const char *login = ctx->host->connection.user;
	char *folder = named_folder(ctx);
	bool good = !folder || win_is_path(folder);

	if (!good)
		assessment_set(
		    out, ASSESS_PERSON,
		    "\"%s\" cannot be worked with as a path (`path`): it has to be absolute, without quotes, percent "
		    "signs and carets",
		    folder);
	else if (facts_is(ctx->now, "client.complete", "unreadable"))
		assessment_set(out, ASSESS_PERSON,
			       "a client was found whose path cannot be read: name its folder (`path`)");
	else if (user && !(run && strcmp(run, "none") == 0) && !(login && win_same(user, login)))
		assessment_set(
		    out, ASSESS_PERSON,
		    "on Windows the client can only be run as the login (%s), not as %s (`run_as`): leave that out, or "
		    "`run`: \"none\" and run it by hand",
		    login ? login : "?", user);
	else {
		free(folder);
		return true;
	}
	free(folder);
	return false;
}
