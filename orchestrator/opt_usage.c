/*
 * The tables as text: the usage of all, of one command, and the dump that tests compare the man page with.
 */
#include "opt.h"

#include <stdint.h>

#define WIDTH 100
#define INDENT 24 /* where the second column begins */

/* Columns of UTF-8 text: bytes that begin a character ("…" is one). */
static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

static void add_spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_addc(out, ' ');
}

/* Words from column `at` on, broken before WIDTH; the lines behind the first are indented. */
static void add_wrapped(struct buf *out, const char *text, size_t at, size_t indent)
{
	while (*text) {
		size_t len = strcspn(text, " "), wide = columns(text, len);
		if (at > indent && at + 1 + wide > WIDTH) {
			buf_addc(out, '\n');
			add_spaces(out, indent);
			at = indent;
		} else if (at > indent) {
			buf_addc(out, ' ');
			at++;
		}
		buf_add(out, text, len);
		at += wide;
		text += len;
		text += strspn(text, " ");
	}
	buf_addc(out, '\n');
}

/* "  LEFT      RIGHT", RIGHT wrapped in its column. */
static void add_row(struct buf *out, const char *left, const char *right)
{
	size_t at = 2 + columns(left, strlen(left));

	buf_addf(out, "  %s", left);
	if (at + 2 > INDENT) {
		buf_addc(out, '\n');
		at = 0;
	}
	add_spaces(out, INDENT - at);
	add_wrapped(out, right, INDENT, INDENT);
}

static void add_synopsis(struct buf *out, const struct command *command)
{
	buf_adds(out, command->name);
	for (int i = 0; i < OPT_ARGUMENTS_MAX && command->arguments[i]; i++)
		buf_addf(out, " %s", command->arguments[i]);
}

static void add_option_row(struct buf *out, const struct option_row *option)
{
	struct buf left = BUF_INIT;

	if (option->letter)
		buf_addf(&left, "-%c, ", option->letter);
	buf_addf(&left, "--%s", option->name);
	if (option->argument)
		buf_addf(&left, " %s", option->argument);
	add_row(out, buf_str(&left), option->help);
	buf_release(&left);
}

static void usage_of_all(struct buf *out)
{
	struct buf left = BUF_INIT;

	buf_adds(out, "usage: cutover COMMAND [ARGUMENT…] [OPTION…]\n\n"
		      "Moves many tenants from one hosted service to another in one night, and proves it.\n\n");
	for (const struct command *c = opt_commands; c->name; c++) {
		buf_clear(&left);
		add_synopsis(&left, c);
		add_row(out, buf_str(&left), c->summary);
	}
	buf_release(&left);
	buf_adds(out, "\n");
	for (const struct option_row *o = opt_options; o->name; o++)
		if (o->kind == OPTION_HELP || o->kind == OPTION_VERSION)
			add_option_row(out, o);
	buf_adds(out, "\n`cutover help COMMAND` says what it takes; `man cutover` has all of it.\n"
		      "Begin with: cutover validate INVENTORY\n");
}

static void usage_of(const struct command *command, struct buf *out)
{
	buf_adds(out, "usage: cutover ");
	add_synopsis(out, command);
	for (const struct option_row *o = opt_options; o->name; o++)
		if (o->required & command->id)
			buf_addf(out, " --%s %s", o->name, o->argument);
	buf_adds(out, " [OPTION…]\n\n");
	add_wrapped(out, *command->details ? command->details : command->summary, 0, 0);
	buf_addc(out, '\n');
	for (const struct option_row *o = opt_options; o->name; o++)
		if (o->commands & command->id)
			add_option_row(out, o);
}

void opt_usage(const struct command *command, struct buf *out)
{
	if (command)
		usage_of(command, out);
	else
		usage_of_all(out);
}

static void dump_option(const char *command, const struct option_row *option, struct buf *out)
{
	buf_addf(out, "option %s --%s", command, option->name);
	if (option->letter)
		buf_addf(out, " -%c", option->letter);
	if (option->argument)
		buf_addf(out, " %s", option->argument);
	buf_addc(out, '\n');
}

void opt_dump(struct buf *out)
{
	for (const struct command *c = opt_commands; c->name; c++) {
		buf_adds(out, "command ");
		add_synopsis(out, c);
		buf_addc(out, '\n');
	}
	for (const struct command *c = opt_commands; c->name; c++)
		for (const struct option_row *o = opt_options; o->name; o++)
			if (o->commands & c->id)
				dump_option(c->name, o, out);
	for (const struct option_row *o = opt_options; o->name; o++)
		if (!o->commands)
			dump_option("-", o, out);
}
