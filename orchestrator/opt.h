/*
 * The command line. Two tables (opt_table.c) are all there is to know about it: the commands, and the options with the
 * commands that take them. The usage, the man page and the completion are tested against them.
 *
 * How it is read.
 *   cutover COMMAND [ARGUMENT…] [OPTION…], in any order after the command. `--x v` and `--x=v`; short ones `-y`, `-h`,
 *   `-V`; `--` ends the options. Names are written in full: what is short for one option today is short for two
 *   tomorrow. An option that is no list may be given once.
 *   The filters and --format are lists: repeated (`--tenant a --tenant b`), with commas (`--tenant a,b`), or several
 *   words (`--tenant a b`). Words are taken as values only where they can be nothing else: directly behind a list
 *   option's value, when the command has all its arguments. Where they could be its optional argument, that is an error
 *   which says how to write it.
 */
#ifndef ORCHESTRATOR_OPT_H
#define ORCHESTRATOR_OPT_H

#include "base/buf.h"
#include "base/err.h"
#include "cmd.h"

#include <stdbool.h>

#define OPT_ARGUMENTS_MAX 2

/* Bits for `commands` of an option and to name a command in code. */
enum command_id {
	COMMAND_VALIDATE = 1 << 0,
	COMMAND_PLAN = 1 << 1,
	COMMAND_RUN = 1 << 2,
	COMMAND_RESUME = 1 << 3,
	COMMAND_STATUS = 1 << 4,
	COMMAND_WHY = 1 << 5,
	COMMAND_CONFIRM = 1 << 6,
	COMMAND_ROLLBACK = 1 << 7,
	COMMAND_REPORT = 1 << 8,
	COMMAND_HELP = 1 << 9,
	COMMAND_TODO = 1 << 10,
	COMMAND_WORKSHEET = 1 << 11,
};

struct command {
	enum command_id id;
	const char *name;
	const char *arguments[OPT_ARGUMENTS_MAX]; /* "INVENTORY", "[TENANT]" where it may be left out; then NULL */
	const char *summary;			  /* one line */
	const char *details;			  /* a paragraph for `help COMMAND` and the man page */
	int (*run)(const struct options *o);	  /* NULL: help, which main answers */
};

/* What an option's value is and where it goes. */
enum option_kind {
	OPTION_FLAG,	/* no value; field is a bool */
	OPTION_TEXT,	/* field is a char * */
	OPTION_NUMBER,	/* field is an int; 1 … CONCURRENCY_MAX */
	OPTION_NAMES,	/* a list; field is a struct strings */
	OPTION_PHASES,	/* a list; bits */
	OPTION_ONLY,	/* a list; bits */
	OPTION_FORMATS, /* a list; bits */
	OPTION_LOG_LEVEL,
	OPTION_LANG,
	OPTION_RESULT,
	OPTION_OWNER,
	OPTION_HELP,
	OPTION_VERSION,
};

struct option_row {
	const char *name; /* without the dashes */
	char letter;	  /* the short one, or 0 */
	const char *argument; /* "FILE", "ID…"; NULL for a flag */
	enum option_kind kind;
	unsigned commands; /* bits of enum command_id */
	unsigned required; /* the commands that cannot do without it */
	size_t field;	   /* offset in struct options */
	const char *help;
};

/* The tables; each ends with a row whose name is NULL. */
extern const struct command opt_commands[];
extern const struct option_row opt_options[];

/* Commands and options that the contract names and this version does not have; each list ends with NULL. */
extern const char *const opt_later_commands[];
extern const char *const opt_later_options[];

/* What is to be done. */
struct opt_call {
	const struct command *command; /* NULL only with help or version */
	bool help;		       /* --help, or the command `help`: of `command` when that is not NULL */
	bool version;
	struct options options;
};

/* Environment variables by name, so that tests have their own; getenv fits. */
typedef char *opt_getenv(const char *name);

/* Reads the command line into *call. 0; E_INVAL with the sentence for the user in err: *call then holds nothing but,
   where it was known, the command. */
int opt_parse(int argc, char **argv, opt_getenv *env, struct opt_call *call, struct err *err);

void options_release(struct options *o);

/* The usage: of all, or of one command with its options. Lines of at most 100 columns. */
void opt_usage(const struct command *command, struct buf *out);

/* Both tables as text for the tests of the man page and the completion: "command NAME", "option COMMAND --NAME [ARGUMENT]". */
void opt_dump(struct buf *out);

bool option_is_list(const struct option_row *option);

#endif
