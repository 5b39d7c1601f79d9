/*
 * cutover: reads the command line (opt.h), runs one command (cmd.h), gives its exit code (exit.h).
 */
#include "base/redact.h"
#include "cmd.h"
#include "exit.h"
#include "opt.h"
#include "terminal.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Descriptors 0 to 2 shall be open, or the state file would get one of their numbers. A closed one becomes /dev/null in
   the direction it is not used in, so that reading and writing still fail. */
static void open_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(EXIT_BUG);
}

/* What was asked for goes to stdout. */
static int print(struct buf *text)
{
	struct err err = { 0 };
	int rc = terminal_put(buf_str(text), text->len, &err);

	buf_release(text);
	return terminal_end(rc, &err);
}

static int print_usage(const struct command *command)
{
	struct buf text = BUF_INIT;

	opt_usage(command, &text);
	return print(&text);
}

static int print_version(void)
{
	struct buf text = BUF_INIT;

	buf_adds(&text, "cutover " CUTOVER_VERSION "\n");
	return print(&text);
}

static int print_tables(void)
{
	struct buf text = BUF_INIT;

	opt_dump(&text);
	return print(&text);
}

static int refuse(const struct opt_call *call, const struct err *err, bool nothing_asked)
{
	struct buf usage = BUF_INIT;

	if (nothing_asked) {
		opt_usage(NULL, &usage);
		terminal_say_text(buf_str(&usage), usage.len);
		buf_release(&usage);
		return EXIT_USAGE;
	}
	terminal_error("%s", err->text);
	if (call->command)
		terminal_say("`cutover help %s` says what it takes", call->command->name);
	else
		terminal_say("`cutover help` lists the commands");
	return EXIT_USAGE;
}

static int dispatch(const struct opt_call *call)
{
	if (call->version)
		return print_version();
	if (call->help)
		return print_usage(call->command);
	log_set_level(call->options.log_level);
	return call->command->run(&call->options);
}

int main(int argc, char **argv)
{
	struct opt_call call;
	struct err err = { 0 };
	int code;

	open_standard_files();
	signal(SIGPIPE, SIG_IGN);
	terminal_init(false);
	if (argc == 2 && strcmp(argv[1], "--dump-options") == 0) /* for the tests of the man page and the completion */
		return print_tables();
	if (opt_parse(argc, argv, getenv, &call, &err)) {
		code = refuse(&call, &err, argc < 2);
	} else {
		terminal_init(call.options.no_color);
		code = dispatch(&call);
	}
	options_release(&call.options);
	redact_forget();
	return code;
}
