/*
 * What the command line is: the two tables that everything else is made from or tested against.
 */
#include "opt.h"

#include <stddef.h>

#define FIELD(member) offsetof(struct options, member)
#define NO_FIELD 0

/* Those that look at hosts, those that change them, those that read the state file, and all. */
#define LOOKS (COMMAND_PLAN | COMMAND_RUN | COMMAND_RESUME | COMMAND_ROLLBACK)
#define CHANGES (COMMAND_RUN | COMMAND_RESUME | COMMAND_ROLLBACK)
#define READS (COMMAND_STATUS | COMMAND_WHY | COMMAND_TODO | COMMAND_REPORT)
#define LISTS (COMMAND_TODO | COMMAND_WORKSHEET)
#define ALL (COMMAND_VALIDATE | LOOKS | READS | COMMAND_WORKSHEET | COMMAND_CONFIRM | COMMAND_HELP)

const struct command opt_commands[] = {
	{ COMMAND_VALIDATE,
	  "validate",
	  { "INVENTORY" },
	  "is the inventory valid? Only files are read, no host is contacted",
	  "Reads the inventory with everything it includes, and reports every problem with its place and a hint. With "
	  "--show it prints one tenant as it is understood, each value with the place it comes from.",
	  cmd_validate },
	{ COMMAND_PLAN,
	  "plan",
	  { "INVENTORY" },
	  "look at every target, change nothing: what would change, with diffs",
	  "Logs in to every selected host, looks, and says per tenant what a run would change, what is done "
	  "already and what cannot be known. Changes nothing on any host. With --learn-keys it plans nothing: it asks "
	  "the hosts who they are (identity_check), and writes the host keys that are new as a known_hosts file for a person "
	  "to review. Nothing trusts that file until the inventory names it.",
	  cmd_plan },
	{ COMMAND_RUN,
	  "run",
	  { "INVENTORY" },
	  "do it: what may be done now is done, verified and journaled",
	  "May always be repeated: it verifies again what was verified, settles what is indeterminate and does the "
	  "rest. It does what the dates and windows allow now and ends; with --wait it stays until the last selected "
	  "window closes. Asks once before the first change; without a terminal it needs --yes.",
	  cmd_run },
	{ COMMAND_RESUME,
	  "resume",
	  { NULL },
	  "run again with the last run's inventory and selection, from the state file alone",
	  "Goes on after a stop or a crash of the controller. Needs nothing but the state file. Filters, where given, "
	  "take the place of the last run's.",
	  cmd_resume },
	{ COMMAND_STATUS,
	  "status",
	  { "[TENANT]" },
	  "where everything stands, while a run goes on or after it",
	  "Reads the state file only. With TENANT: each step and target of that one. With --watch it is drawn again "
	  "each second until the run ends.",
	  cmd_status },
	{ COMMAND_WHY,
	  "why",
	  { "TENANT" },
	  "why is this tenant where it is, and what would move it",
	  "Says of each step that is not done why that is so, and what has to happen: the window that comes next, the "
	  "person and the command, the failure and what to do about it.",
	  cmd_why },
	{ COMMAND_TODO,
	  "todo",
	  { NULL },
	  "who owes what until when, what is due first on top",
	  "Over all tenants, what needs somebody: what people do, what this version cannot do, what agents ask, and what went "
	  "wrong; each with whose it is, by when, what to do and the line that says it is done. Reads the state file only.",
	  cmd_todo },
	{ COMMAND_WORKSHEET,
	  "worksheet",
	  { NULL },
	  "what has to be confirmed of a step, as one sheet to fill in",
	  "A row for each target, for spreadsheets, with whose it is, by when and what to do; result, by, note and evidence are to "
	  "be filled in. `confirm --from` reads it again. Reads the state file only.",
	  cmd_worksheet },
	{ COMMAND_CONFIRM,
	  "confirm",
	  { "TENANT", "STEP" },
	  "a person says what she did or found: it is journaled, and counts",
	  "For a step that waits for a person, or that failed and was mended by hand. 'ok': it is done. 'wrong': it "
	  "was "
	  "looked at and is not as it should be. 'not-needed': it does not apply here. Works while a run goes on, and "
	  "the "
	  "run reacts at once. With --from FILE, and neither TENANT nor STEP nor --result: all of a worksheet that was filled "
	  "in, or nothing of it.",
	  cmd_confirm },
	{ COMMAND_ROLLBACK,
	  "rollback",
	  { "[TENANT]" },
	  "put back what was there before, newest change first, verified",
	  "Puts back the before-images of the tenant, or of what the filters select; without either of them it does "
	  "nothing. Asks once before the first change; without a terminal it needs --yes.",
	  cmd_rollback },
	{ COMMAND_REPORT,
	  "report",
	  { "[TENANT]" },
	  "what was done for whom, when, with what outcome, and what is left",
	  "Made from the state file alone. With --out it writes DIR/report.txt, .json, .csv and .html, those of "
	  "--format, "
	  "and prints their paths; without it one format goes to stdout. The format evidence writes into DIR/evidence what people "
	  "gave as proof.",
	  cmd_report },
	{ COMMAND_HELP, "help", { "[COMMAND]" }, "what a command does and which options it takes", "", NULL },
	{ 0, NULL, { NULL }, NULL, NULL, NULL },
};

const struct option_row opt_options[] = {
	{ "show", 0, "TENANT", OPTION_TEXT, COMMAND_VALIDATE, 0, FIELD(show),
	  "print this tenant as it is understood, each value with its origin" },
	{ "out", 0, "DIR", OPTION_TEXT, COMMAND_PLAN | COMMAND_REPORT, 0, FIELD(out_dir),
	  "write files into DIR (it is made when it is not there)" },
	{ "format", 0, "FORMAT…", OPTION_FORMATS, COMMAND_REPORT, 0, FIELD(formats),
	  "text (the default), json, csv, html; evidence: the files that people gave as proof" },
	{ "watch", 0, NULL, OPTION_FLAG, COMMAND_STATUS, 0, FIELD(watch),
	  "draw it again each second, until the run ends" },
	{ "learn-keys", 0, "FILE", OPTION_TEXT, COMMAND_PLAN, 0, FIELD(learn_keys),
	  "write the keys of new hosts to FILE, which must not be there, for a person to review" },
	{ "detailed-exitcode", 0, NULL, OPTION_FLAG, COMMAND_PLAN, 0, FIELD(detailed_exitcode),
	  "exit with 10 when there are changes to make" },

	{ "tenant", 0, "ID…", OPTION_NAMES, LOOKS | LISTS, 0, FIELD(selection.tenants), "only these tenants" },
	{ "not-tenant", 0, "ID…", OPTION_NAMES, LOOKS, 0, FIELD(selection.not_tenants), "all but these tenants" },
	{ "wave", 0, "NAME…", OPTION_NAMES, LOOKS, 0, FIELD(selection.waves), "only tenants of these waves" },
	{ "label", 0, "L…", OPTION_NAMES, LOOKS, 0, FIELD(selection.labels), "only tenants with one of these labels" },
	{ "host", 0, "NAME…", OPTION_NAMES, LOOKS, 0, FIELD(selection.hosts), "only these hosts" },
	{ "phase", 0, "P…", OPTION_PHASES, LOOKS, 0, FIELD(selection.phases),
	  "only steps of these phases: prepare, ready, switch, settle" },
	{ "step", 0, "S…", OPTION_NAMES, LOOKS | COMMAND_WORKSHEET, COMMAND_WORKSHEET, FIELD(selection.steps), "only these steps" },
	{ "only", 0, "STATE…", OPTION_ONLY, LOOKS, 0, FIELD(selection.only),
	  "only what is failed, unreachable or unfinished" },

	{ "owner", 0, "WHO", OPTION_OWNER, LISTS, 0, FIELD(owner), "only what us, customer or isp has to do" },
	{ "json", 0, NULL, OPTION_FLAG, COMMAND_TODO, 0, FIELD(json), "as JSON, with the instructions in both languages" },

	{ "csv", 0, NULL, OPTION_FLAG, COMMAND_WORKSHEET, 0, FIELD(csv), "as CSV (UTF-8), the only form in this version" },

	{ "target", 0, "KEY", OPTION_TEXT, COMMAND_CONFIRM, 0, FIELD(target),
	  "which target of the step, where it has several: host:NAME, domain:NAME, tenant" },
	{ "result", 0, "RESULT", OPTION_RESULT, COMMAND_CONFIRM, COMMAND_CONFIRM, FIELD(result),
	  "ok, wrong or not-needed" },
	{ "by", 0, "NAME", OPTION_TEXT, COMMAND_CONFIRM, COMMAND_CONFIRM, FIELD(by), "who says so" },
	{ "note", 0, "TEXT", OPTION_TEXT, COMMAND_CONFIRM, 0, FIELD(note), "what a later reader should know" },
	{ "evidence", 0, "FILE", OPTION_TEXT, COMMAND_CONFIRM, 0, FIELD(evidence_path),
	  "a file that shows it: kept in the state file with its SHA-256" },
	{ "from", 0, "FILE", OPTION_TEXT, COMMAND_CONFIRM, 0, FIELD(from_path),
	  "a worksheet that was filled in: all of its rows, or none; --by is for those that name nobody" },

	{ "state", 0, "FILE", OPTION_TEXT, LOOKS | READS | COMMAND_WORKSHEET | COMMAND_CONFIRM, 0, FIELD(state_path),
	  "the state file; else $CUTOVER_STATE, else cutover.db in the inventory's folder, else in this one" },
	{ "concurrency", 0, "N", OPTION_NUMBER, LOOKS, 0, FIELD(concurrency), "work on N hosts at once" },
	{ "wait", 0, NULL, OPTION_FLAG, COMMAND_RUN | COMMAND_RESUME, 0, FIELD(wait),
	  "stay until the last selected window closes" },
	{ "events", 0, "FILE", OPTION_TEXT, LOOKS, 0, FIELD(events_path),
	  "append events to FILE, one JSON object a line" },
	{ "yes", 'y', NULL, OPTION_FLAG, CHANGES, 0, FIELD(yes), "do not ask before the first change" },
	{ "lang", 0, "LANG", OPTION_LANG, READS, 0, FIELD(lang), "en (the default) or ja" },
	{ "log-level", 0, "LEVEL", OPTION_LOG_LEVEL, ALL, 0, FIELD(log_level),
	  "the program's own log on stderr: error, warn (the default), info, debug, trace" },
	{ "no-color", 0, NULL, OPTION_FLAG, ALL, 0, FIELD(no_color), "no colours; so does $NO_COLOR" },
	{ "help", 'h', NULL, OPTION_HELP, ALL, 0, NO_FIELD, "say what this command takes" },
	{ "version", 'V', NULL, OPTION_VERSION, 0, 0, NO_FIELD, "say which version this is" },
	{ NULL, 0, NULL, OPTION_FLAG, 0, 0, NO_FIELD, NULL },
};

const char *const opt_later_commands[] = { "approve", "pause",	 "go",	     "import", "init",	"doctor", "spf",
					   "release", "verify-report", "handover", "letter", "serve", NULL };

const char *const opt_later_options[] = { "plan",	      "digest",	    "ref",	       "map",	"forecast",
					  "allow-same-diff", "max-failed", "max-unreachable", "force", NULL };
