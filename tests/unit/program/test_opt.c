#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "opt.h"
#include "schema/state.h"
#include "tests/unit/program/commands.h"

#define WORDS_MAX 16

static struct opt_call call;
static struct err err;

static const char *env_state, *env_no_color;

static char *fake_env(const char *name)
{
	if (strcmp(name, "CUTOVER_STATE") == 0)
		return (char *)(uintptr_t)env_state;
	if (strcmp(name, "NO_COLOR") == 0)
		return (char *)(uintptr_t)env_no_color;
	return NULL;
}

/* "run a.json --yes": cut at blanks; "''" is an empty word. */
static int parse(const char *line)
{
	char *copy = str_fmt("cutover %s", line), *at = copy, *word;
	char *argv[WORDS_MAX + 1];
	int argc = 0, rc;

	memset(&err, 0, sizeof(err));
	while ((word = strsep(&at, " ")) != NULL) {
		ck_assert_int_lt(argc, WORDS_MAX);
		if (*word)
			argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	argv[argc] = NULL;
	rc = opt_parse(argc, argv, fake_env, &call, &err);
	free(copy);
	return rc;
}

static void good(const char *line)
{
	int rc = parse(line);

	ck_assert_msg(rc == 0, "'%s': %s", line, err.text);
}

/* Refused, and the sentence has `part` in it. */
static void refused(const char *line, const char *part)
{
	ck_assert_msg(parse(line) == E_INVAL, "'%s' was accepted", line);
	ck_assert_msg(strstr(err.text, part) != NULL, "'%s': '%s' is not in '%s'", line, part, err.text);
	options_release(&call.options);
}

static void names(const struct strings *list, const char *joined)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(&all, "%s%s", i ? " " : "", list->at[i]);
	ck_assert_str_eq(buf_str(&all), joined);
	buf_release(&all);
}

START_TEST(test_arguments)
{
	good("run fleet/inv.json");
	ck_assert_str_eq(call.options.inventory, "fleet/inv.json");
	options_release(&call.options);
	good("confirm acme sync-client --result ok --by Ann");
	ck_assert_str_eq(call.options.tenant, "acme");
	ck_assert_str_eq(call.options.step, "sync-client");
	ck_assert_int_eq(call.options.result, RESULT_OK);
	ck_assert_str_eq(call.options.by, "Ann");
	options_release(&call.options);
	good("status");
	ck_assert_ptr_null(call.options.tenant);
	options_release(&call.options);
	good("rollback acme");
	ck_assert_ptr_null(call.options.tenant);
	names(&call.options.selection.tenants, "acme");
	ck_assert(call.options.selection_given);
	options_release(&call.options);
	refused("run", "needs INVENTORY");
	refused("run ''", "INVENTORY is empty");
	refused("run a b", "'b' is one argument too many");
	refused("confirm acme", "needs STEP");
}
END_TEST

START_TEST(test_values)
{
	good("run a.json --concurrency 12 --wait -y --events=e=1.ndjson --log-level debug --no-color");
	ck_assert_int_eq(call.options.concurrency, 12);
	ck_assert(call.options.wait && call.options.yes && call.options.no_color);
	ck_assert_str_eq(call.options.events_path, "e=1.ndjson");
	ck_assert_int_eq(call.options.log_level, LOG_DEBUG);
	ck_assert(!call.options.selection_given);
	options_release(&call.options);
	good("plan --out d a.json --detailed-exitcode");
	ck_assert_str_eq(call.options.out_dir, "d");
	ck_assert(call.options.detailed_exitcode);
	ck_assert_int_eq(call.options.log_level, LOG_WARN);
	options_release(&call.options);
	good("report acme --format json,csv --format html --out=r --lang ja");
	ck_assert_uint_eq(call.options.formats, FORMAT_JSON | FORMAT_CSV | FORMAT_HTML);
	ck_assert_int_eq(call.options.lang, LANG_JA);
	options_release(&call.options);
	good("report");
	ck_assert_uint_eq(call.options.formats, FORMAT_TEXT);
	options_release(&call.options);
	good("status --watch");
	ck_assert(call.options.watch);
	options_release(&call.options);
	good("validate a.json --show acme");
	ck_assert_str_eq(call.options.show, "acme");
	options_release(&call.options);
	good("confirm a b --result not-needed --by=-x- --note=--yes --target host:h/k --evidence e");
	ck_assert_int_eq(call.options.result, RESULT_NOT_NEEDED);
	ck_assert_str_eq(call.options.by, "-x-");
	ck_assert_str_eq(call.options.note, "--yes");
	ck_assert_str_eq(call.options.target, "host:h/k");
	ck_assert_str_eq(call.options.evidence_path, "e");
	options_release(&call.options);
}
END_TEST

START_TEST(test_bad_values)
{
	refused("run a --concurrency 0", "no number from 1");
	refused("run a --concurrency 10001", "no number from 1");
	refused("run a --concurrency 99999999999999999999", "no number from 1");
	refused("run a --concurrency +5", "no number from 1");
	refused("run a --concurrency 5x", "no number from 1");
	refused("run a --concurrency", "its N is missing");
	refused("run a --concurrency=", "its N is empty");
	refused("run a --state --yes", "missing before --yes");
	refused("run a --state x --state y", "given twice");
	refused("run a --yes=1", "takes no value");
	refused("report --format jsn", "did you mean 'json'");
	refused("run a --only fialed", "did you mean 'failed'");
	refused("run a --log-level loud", "none of error, warn");
	refused("why a --lang de", "none of en, ja");
	refused("confirm a b --by x --result maybe", "none of ok, wrong, not-needed");
	refused("confirm a b --by x", "needs --result");
	refused("confirm a b --result ok", "needs --by");
	refused("run a --tenant x,,y", "empty name");
	refused("run a --tenant ,", "empty name");
	refused("run a --tenant ''", "is empty");
}
END_TEST

START_TEST(test_lists)
{
	const struct selection *s = &call.options.selection;

	good("run a.json --tenant acme,basil --tenant cress dill --wave w1 --phase switch,ready --only failed unfinished");
	names(&s->tenants, "acme basil cress dill");
	names(&s->waves, "w1");
	ck_assert_uint_eq(s->phases, 1u << PHASE_SWITCH | 1u << PHASE_READY);
	ck_assert_uint_eq(s->only, ONLY_FAILED | ONLY_UNFINISHED);
	ck_assert(call.options.selection_given);
	options_release(&call.options);
	good("resume --not-tenant a b --label l --host h,i --step sync-client mx --only unreachable");
	names(&s->not_tenants, "a b");
	names(&s->labels, "l");
	names(&s->hosts, "h i");
	names(&s->steps, "sync-client mx");
	ck_assert_uint_eq(s->only, ONLY_UNREACHABLE);
	options_release(&call.options);
	good("run --tenant acme a.json"); /* the argument comes first */
	names(&s->tenants, "acme");
	ck_assert_str_eq(call.options.inventory, "a.json");
	options_release(&call.options);
	good("rollback acme --host h i");
	names(&s->hosts, "h i");
	options_release(&call.options);
}
END_TEST

START_TEST(test_lists_never_guess)
{
	refused("run --tenant acme a.json basil", "one argument too many");
	refused("run a.json --tenant acme --yes basil", "one argument too many");
	refused("run a.json --tenant acme -- basil", "one argument too many");
	refused("rollback --host h i", "argument first");
	refused("report --format json acme", "argument first");
	good("report acme --format json csv");
	options_release(&call.options);
}
END_TEST

START_TEST(test_unknown)
{
	refused("rnu a", "did you mean 'run'");
	refused("frobnicate", "no command 'frobnicate'");
	refused("approve", "not in this version");
	refused("run a --max-failed 3", "not in this version");
	refused("run a --plan dir", "not in this version");
	refused("run a --tennant x", "did you mean --tenant");
	refused("run a --yess", "did you mean --yes");
	refused("run a --ye", "did you mean --yes"); /* no abbreviations */
	refused("run a -wait", "did you mean --wait");
	refused("run a -x", "no option -x");
	refused("run a -yx", "no option -x");
	refused("status --wait", "run and resume take it");
	refused("run a --watch", "status takes it");
	refused("run a --version", "stands alone");
	refused("--state x run a", "behind the command");
	refused("help rn", "did you mean 'run'");
	refused("", "a command is needed");
}
END_TEST

START_TEST(test_dashes)
{
	good("run -- --odd.json");
	ck_assert_str_eq(call.options.inventory, "--odd.json");
	options_release(&call.options);
	good("run -");
	ck_assert_str_eq(call.options.inventory, "-");
	options_release(&call.options);
	refused("run --odd.json", "has no option");
}
END_TEST

START_TEST(test_help_and_version)
{
	good("--version");
	ck_assert(call.version && !call.command);
	options_release(&call.options);
	good("--help");
	ck_assert(call.help && !call.command);
	options_release(&call.options);
	good("help");
	ck_assert(call.help && !call.command);
	options_release(&call.options);
	good("help run");
	ck_assert(call.help);
	ck_assert_str_eq(call.command->name, "run");
	options_release(&call.options);
	good("run -h"); /* before what is missing */
	ck_assert(call.help);
	ck_assert_str_eq(call.command->name, "run");
	options_release(&call.options);
	good("confirm a --help");
	ck_assert(call.help);
	options_release(&call.options);
}
END_TEST

START_TEST(test_state_path)
{
	good("run a.json");
	ck_assert_str_eq(call.options.state_path, "cutover.db");
	ck_assert(!call.options.state_given);
	options_release(&call.options);
	good("run fleet/a.json");
	ck_assert_str_eq(call.options.state_path, "fleet/cutover.db");
	options_release(&call.options);
	good("plan ./a.json");
	ck_assert_str_eq(call.options.state_path, "cutover.db");
	options_release(&call.options);
	good("status acme");
	ck_assert_str_eq(call.options.state_path, "cutover.db");
	options_release(&call.options);
	env_state = "";
	good("status");
	ck_assert_str_eq(call.options.state_path, "cutover.db");
	options_release(&call.options);
	env_state = "/var/lib/cutover.db";
	good("run fleet/a.json");
	ck_assert_str_eq(call.options.state_path, "/var/lib/cutover.db");
	ck_assert(call.options.state_given);
	options_release(&call.options);
	good("run fleet/a.json --state s.db");
	ck_assert_str_eq(call.options.state_path, "s.db");
	options_release(&call.options);
}
END_TEST

START_TEST(test_no_color)
{
	env_no_color = "";
	good("status");
	ck_assert(!call.options.no_color);
	options_release(&call.options);
	env_no_color = "1";
	good("status");
	ck_assert(call.options.no_color);
	options_release(&call.options);
}
END_TEST

/* Each command's function is its own. */
START_TEST(test_dispatch)
{
	for (const struct command *c = opt_commands; c->name; c++) {
		char *expected = str_fmt("cmd_%s", c->name);
		if (c->run) {
			c->run(&call.options);
			ck_assert_str_eq(command_called, expected);
		} else {
			ck_assert_int_eq(c->id, COMMAND_HELP);
		}
		free(expected);
	}
}
END_TEST

/* What the parser relies on. */
START_TEST(test_tables)
{
	unsigned ids = 0;
	int rows = 0;

	for (const struct command *c = opt_commands; c->name; c++) {
		ck_assert_msg(!(ids & c->id), "%s: its id is used twice", c->name);
		ids |= c->id;
		ck_assert_msg(*c->summary && strlen(c->summary) < 100, "%s", c->name);
	}
	for (const struct option_row *o = opt_options; o->name; o++, rows++) {
		ck_assert_msg(!(o->required & ~o->commands), "--%s", o->name);
		ck_assert_msg(!(o->commands & ~ids), "--%s", o->name);
		ck_assert_msg(*o->help, "--%s", o->name);
		for (const struct option_row *other = opt_options; other < o; other++) {
			ck_assert_str_ne(other->name, o->name);
			ck_assert(!o->letter || o->letter != other->letter);
		}
		for (const char *const *later = opt_later_options; *later; later++)
			ck_assert_str_ne(*later, o->name);
	}
	ck_assert_int_le(rows, 64); /* bits of a uint64_t */
	for (const struct command *c = opt_commands; c->name; c++)
		for (const char *const *later = opt_later_commands; *later; later++)
			ck_assert_str_ne(*later, c->name);
}
END_TEST

START_TEST(test_phase_words)
{
	for (int phase = 0; phase < PHASES; phase++) {
		char *line = str_fmt("resume --phase %s", phase_name((enum phase)phase));
		good(line);
		ck_assert_uint_eq(call.options.selection.phases, 1u << phase);
		options_release(&call.options);
		free(line);
	}
}
END_TEST

/* Each command and option of the tables is in the usage, no line is too wide. */
START_TEST(test_usage)
{
	struct buf text = BUF_INIT;

	opt_usage(NULL, &text);
	for (const struct command *c = opt_commands; c->name; c++) {
		char *row = str_fmt("\n  %s ", c->name);
		ck_assert_msg(strstr(buf_str(&text), row) != NULL, "%s", c->name);
		free(row);
	}
	for (const struct command *c = opt_commands; c->name; c++) {
		buf_clear(&text);
		opt_usage(c, &text);
		for (const struct option_row *o = opt_options; o->name; o++) {
			char *name = str_fmt("--%s%s", o->name, o->argument ? " " : "  ");
			ck_assert_msg((strstr(buf_str(&text), name) != NULL) == ((o->commands & c->id) != 0),
				      "help %s: --%s", c->name, o->name);
			free(name);
		}
		for (const char *line = text.data; *line; line = strchr(line, '\n') + 1)
			ck_assert_uint_le(strcspn(line, "\n"), 110);
	}
	buf_release(&text);
}
END_TEST

/* A sheet has what one word is made of: both at once is a mistake. */
START_TEST(test_sheet)
{
	good("confirm --from s.csv");
	ck_assert_str_eq(call.options.from_path, "s.csv");
	options_release(&call.options);
	good("confirm --from s.csv --by Ann --state x.db");
	ck_assert_str_eq(call.options.by, "Ann");
	options_release(&call.options);
	refused("confirm acme --from s.csv", "leave them out");
	refused("confirm acme mx --from s.csv --result ok --by Ann", "leave them out");
	refused("confirm --from s.csv --note x", "leave them out");
	refused("confirm --from s.csv --evidence x", "leave them out");
	refused("confirm", "needs TENANT");
	good("worksheet --step mx --csv --owner customer --tenant a,b");
	ck_assert(call.options.csv && call.options.owner == OWNER_CUSTOMER);
	names(&call.options.selection.steps, "mx");
	options_release(&call.options);
	refused("worksheet --csv", "needs --step");
	good("todo --json --owner isp");
	ck_assert(call.options.json && call.options.owner == OWNER_ISP);
	options_release(&call.options);
	refused("todo acme", "one argument too many");
}
END_TEST

SUITE(opt)
{
	TEST_CASE(s, test_arguments);
	TEST_CASE(s, test_values);
	TEST_CASE(s, test_bad_values);
	TEST_CASE(s, test_lists);
	TEST_CASE(s, test_lists_never_guess);
	TEST_CASE(s, test_unknown);
	TEST_CASE(s, test_dashes);
	TEST_CASE(s, test_help_and_version);
	TEST_CASE(s, test_state_path);
	TEST_CASE(s, test_no_color);
	TEST_CASE(s, test_dispatch);
	TEST_CASE(s, test_tables);
	TEST_CASE(s, test_phase_words);
	TEST_CASE(s, test_sheet);
	TEST_CASE(s, test_usage);
}
