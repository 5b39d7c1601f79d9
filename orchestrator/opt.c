#include "opt.h"

#include "base/alloc.h"
#include "base/file.h"
#include "inventory/suggest.h"

#include <errno.h>
#include <stdint.h>

#define STATE_FILE "cutover.db"
#define LIST_NAMES_MAX 10000

/* Where the reading is. */
struct parser {
	int argc, at; /* argv[at] is the next word */
	char **argv;
	struct opt_call *call;
	const struct option_row *list; /* the word before was a value of this list, or NULL */
	int arguments_n;               /* how many were given */
	bool words_only;               /* behind "--" */
	uint64_t seen;                 /* bit per row of opt_options */
	struct err *err;
};

bool option_is_list(const struct option_row *option)
{
	switch (option->kind) {
	case OPTION_NAMES:
	case OPTION_PHASES:
	case OPTION_ONLY:
	case OPTION_FORMATS:
		return true;
	case OPTION_FLAG:
	case OPTION_TEXT:
	case OPTION_NUMBER:
	case OPTION_LOG_LEVEL:
	case OPTION_LANG:
	case OPTION_RESULT:
	case OPTION_OWNER:
	case OPTION_HELP:
	case OPTION_VERSION:
		return false;
	}
	return false;
}

static bool takes_value(const struct option_row *option)
{
	return option->argument != NULL;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool is_among(const char *word, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, word) == 0)
			return true;
	return false;
}

static const struct command *command_find(const char *name)
{
	for (const struct command *c = opt_commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int command_get(struct parser *p, const char *name, const struct command **out)
{
	struct suggestion s = { .word = name };

	*out = command_find(name);
	if (*out)
		return 0;
	if (is_among(name, opt_later_commands))
		return err_set(p->err, E_INVAL, "'%s' is not in this version", name);
	for (const struct command *c = opt_commands; c->name; c++)
		suggestion_offer(&s, c->name);
	if (s.best)
		return err_set(p->err, E_INVAL, "there is no command '%s', did you mean '%s'?", name, s.best);
	return err_set(p->err, E_INVAL, "there is no command '%s'", name);
}

/* "run and resume", for a message. */
static void add_takers(const struct option_row *option, struct buf *out)
{
	unsigned left = option->commands;

	for (const struct command *c = opt_commands; c->name; c++) {
		if (!(left & c->id))
			continue;
		left &= ~(unsigned)c->id;
		buf_addf(out, "%s%s", out->len == 0 ? "" : left ? ", " : " and ", c->name);
	}
}

static int option_misplaced(struct parser *p, const struct option_row *option)
{
	struct buf takers = BUF_INIT;

	add_takers(option, &takers);
	if (takers.len == 0)
		buf_adds(&takers, "it stands alone: cutover --version");
	else
		buf_addf(&takers, " %s", strchr(buf_str(&takers), ' ') ? "take it" : "takes it");
	err_set(p->err, E_INVAL, "'%s' does not take --%s (%s)", p->call->command->name, option->name,
		buf_str(&takers));
	buf_release(&takers);
	return E_INVAL;
}

static int option_unknown(struct parser *p, const char *name)
{
	struct suggestion s = { .word = name };

	if (is_among(name, opt_later_options))
		return err_set(p->err, E_INVAL, "--%s is not in this version", name);
	for (const struct option_row *o = opt_options; o->name; o++)
		if (o->commands & p->call->command->id)
			suggestion_offer(&s, o->name);
	if (s.best)
		return err_set(p->err, E_INVAL, "'%s' has no option --%s, did you mean --%s?", p->call->command->name,
			       name, s.best);
	return err_set(p->err, E_INVAL, "'%s' has no option --%s", p->call->command->name, name);
}

static int option_check(struct parser *p, const struct option_row *option, const char *written)
{
	if (!option->name)
		return option_unknown(p, written);
	if (!(option->commands & p->call->command->id))
		return option_misplaced(p, option);
	return 0;
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* One of some words, as its place in `words`. */
static int word_get(struct parser *p, const struct option_row *option, const char *value, const char *const *words,
		    int *index)
{
	struct buf all = BUF_INIT;
	const char *best;
	int n = 0;

	for (; words[n]; n++) {
		if (strcmp(words[n], value) == 0) {
			*index = n;
			buf_release(&all);
			return 0;
		}
		buf_addf(&all, "%s%s", n ? ", " : "", words[n]);
	}
	best = suggest(value, words, (size_t)n);
	err_set(p->err, E_INVAL, "--%s: '%s' is none of %s%s%s%s", option->name, value, buf_str(&all),
		best ? "; did you mean '" : "", best ? best : "", best ? "'?" : "");
	buf_release(&all);
	return E_INVAL;
}

static const char *const only_words[] = { "failed", "unreachable", "unfinished", NULL };
static const char *const phase_words[] = { "prepare", "ready", "switch", "settle", NULL };
static const char *const format_words[] = { "text", "json", "csv", "html", "evidence", NULL };
static const char *const level_words[] = { "error", "warn", "info", "debug", "trace", NULL };
static const char *const lang_words[] = { "en", "ja", NULL };
static const char *const owner_words[] = { "us", "customer", "isp", NULL };
static const char *const result_words[] = { "ok", "wrong", "not-needed", NULL };

static int set_number(struct parser *p, const struct option_row *option, const char *value, int *field)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(value, &end, 10);
	if (*value < '0' || *value > '9' || *end || errno || n < 1 || n > CONCURRENCY_MAX)
		return err_set(p->err, E_INVAL, "--%s: '%s' is no number from 1 to %d", option->name, value,
			       CONCURRENCY_MAX);
	*field = (int)n;
	return 0;
}

static int add_name(struct parser *p, const struct option_row *option, const char *name, struct strings *list)
{
	if (list->n == LIST_NAMES_MAX)
		return err_set(p->err, E_INVAL, "--%s: more than %d names", option->name, LIST_NAMES_MAX);
	GROW_FOR_ONE(list->at, list->n);
	list->at[list->n++] = str_dup(name);
	return 0;
}

static int add_bit(struct parser *p, const struct option_row *option, const char *word, const char *const *words,
		   unsigned *field)
{
	int index, rc = word_get(p, option, word, words, &index);

	if (rc == 0)
		*field |= 1u << index;
	return rc;
}

/* Puts one value (a list: one name of it) where it belongs. */
static int set_value(struct parser *p, const struct option_row *option, const char *value)
{
	struct options *o = &p->call->options;
	void *field = (char *)o + option->field;
	int index = 0, rc = 0;

	switch (option->kind) {
	case OPTION_TEXT:
		*(char **)field = str_dup(value);
		return 0;
	case OPTION_NUMBER:
		return set_number(p, option, value, field);
	case OPTION_NAMES:
		return add_name(p, option, value, field);
	case OPTION_PHASES:
		return add_bit(p, option, value, phase_words, field);
	case OPTION_ONLY:
		return add_bit(p, option, value, only_words, field);
	case OPTION_FORMATS:
		return add_bit(p, option, value, format_words, field);
	case OPTION_LOG_LEVEL:
		rc = word_get(p, option, value, level_words, &index);
		o->log_level = (enum log_level)index;
		return rc;
	case OPTION_LANG:
		rc = word_get(p, option, value, lang_words, &index);
		o->lang = (enum option_lang)index;
		return rc;
	case OPTION_RESULT:
		rc = word_get(p, option, value, result_words, &index);
		o->result = (enum option_result)(RESULT_OK + index);
		return rc;
	case OPTION_OWNER:
		rc = word_get(p, option, value, owner_words, &index);
		o->owner = (enum option_owner)(OWNER_US + index);
		return rc;
	case OPTION_FLAG:
	case OPTION_HELP:
	case OPTION_VERSION:
		break;
	}
	return 0;
}

/* "a,b" is a and b. */
static int set_list(struct parser *p, const struct option_row *option, const char *value)
{
	int rc = 0;

	while (rc == 0) {
		size_t len = strcspn(value, ",");
		char *one = str_ndup(value, len);
		if (len == 0)
			rc = err_set(p->err, E_INVAL, "--%s: there is an empty name in the list", option->name);
		else
			rc = set_value(p, option, one);
		free(one);
		if (value[len] == '\0')
			break;
		value += len + 1;
	}
	return rc;
}

static int set_option(struct parser *p, const struct option_row *option, const char *value)
{
	if (!*value)
		return err_set(p->err, E_INVAL, "--%s: its %s is empty", option->name, option->argument);
	if (!option_is_list(option))
		return set_value(p, option, value);
	p->list = option;
	return set_list(p, option, value);
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

static void set_flag(struct parser *p, const struct option_row *option)
{
	if (option->kind == OPTION_HELP)
		p->call->help = true;
	else
		*(bool *)((char *)&p->call->options + option->field) = true;
}

/* An option that was found: its value is `inline_value`, or the next word. */
static int take_option(struct parser *p, const struct option_row *option, const char *inline_value)
{
	uint64_t bit = UINT64_C(1) << (option - opt_options);
	const char *value = inline_value;

	if ((p->seen & bit) && !option_is_list(option) && takes_value(option))
		return err_set(p->err, E_INVAL, "--%s is given twice", option->name);
	p->seen |= bit;
	if (!takes_value(option)) {
		if (inline_value)
			return err_set(p->err, E_INVAL, "--%s takes no value", option->name);
		set_flag(p, option);
		return 0;
	}
	if (!value) {
		if (p->at == p->argc)
			return err_set(p->err, E_INVAL, "--%s: its %s is missing", option->name, option->argument);
		value = p->argv[p->at];
		if (value[0] == '-' && value[1] == '-')
			return err_set(p->err, E_INVAL,
				       "--%s: its %s is missing before %s (if that is the value: --%s=%s)",
				       option->name, option->argument, value, option->name, value);
		p->at++;
	}
	return set_option(p, option, value);
}

static int take_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	char *name = str_ndup(word, len);
	const struct option_row *option = opt_options;
	int rc;

	while (option->name && strcmp(option->name, name) != 0)
		option++;
	rc = option_check(p, option, name);
	free(name);
	return rc ? rc : take_option(p, option, value);
}

static int letter_unknown(struct parser *p, const char *letters)
{
	size_t len = strcspn(letters, "=");

	for (const struct option_row *o = opt_options; o->name; o++)
		if (len > 1 && strncmp(o->name, letters, len) == 0 && o->name[len] == '\0')
			return err_set(p->err, E_INVAL, "there is no option -%s, did you mean --%s?", o->name, o->name);
	return err_set(p->err, E_INVAL, "'%s' has no option -%c", p->call->command->name, *letters);
}

/* Letters, one or several together; those of this program are flags. */
static int take_letters(struct parser *p, const char *letters)
{
	int rc = 0;

	for (; *letters && rc == 0; letters++) {
		const struct option_row *option = opt_options;
		while (option->name && option->letter != *letters)
			option++;
		if (!option->name)
			return letter_unknown(p, letters);
		rc = option_check(p, option, option->name);
		if (rc == 0)
			rc = take_option(p, option, NULL);
	}
	return rc;
}

static bool is_optional(const char *argument)
{
	return argument[0] == '[';
}

static int set_argument(struct parser *p, const char *argument, const char *word)
{
	struct options *o = &p->call->options;

	p->arguments_n++;
	if (!*word)
		return err_set(p->err, E_INVAL, "%s is empty", argument);
	if (strcmp(argument, "INVENTORY") == 0) {
		o->inventory = str_dup(word);
	} else if (strcmp(argument, "STEP") == 0) {
		o->step = str_dup(word);
	} else if (strcmp(argument, "[COMMAND]") == 0) {
		p->call->help = true;
		return command_get(p, word, &p->call->command);
	} else if (p->call->command->id == COMMAND_ROLLBACK) {
		GROW_FOR_ONE(o->selection.tenants.at, o->selection.tenants.n);
		o->selection.tenants.at[o->selection.tenants.n++] = str_dup(word);
	} else {
		o->tenant = str_dup(word);
	}
	return 0;
}

static const char *next_argument(const struct parser *p)
{
	return p->arguments_n < OPT_ARGUMENTS_MAX ? p->call->command->arguments[p->arguments_n] : NULL;
}

/* A word that is no option: an argument, or one more value of the list before it, never a guess (see opt.h). */
static int take_word(struct parser *p, const char *word)
{
	const char *argument = next_argument(p);

	if (argument && p->list && is_optional(argument))
		return err_set(p->err, E_INVAL,
			       "'%s' behind --%s could be one more value of it or the argument %s: write --%s A,B, or "
			       "the argument first",
			       word, p->list->name, argument, p->list->name);
	if (argument) {
		p->list = NULL;
		return set_argument(p, argument, word);
	}
	if (p->list)
		return set_option(p, p->list, word);
	return err_set(p->err, E_INVAL, "'%s' is one argument too many for '%s'", word, p->call->command->name);
}

static int take_next(struct parser *p)
{
	const char *word = p->argv[p->at++];
	bool is_word = p->words_only || word[0] != '-' || word[1] == '\0';

	if (is_word)
		return take_word(p, word);
	p->list = NULL;
	if (strcmp(word, "--") == 0) {
		p->words_only = true;
		return 0;
	}
	return word[1] == '-' ? take_long(p, word + 2) : take_letters(p, word + 1);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* confirm --from FILE: the sheet says what the arguments and the other options say else. */
static int check_sheet(struct parser *p)
{
	const struct options *o = &p->call->options;

	if (p->arguments_n || o->target || o->result || o->note || o->evidence_path)
		return err_set(p->err, E_INVAL,
			       "'confirm --from' takes TENANT, STEP, --target, --result, --note and --evidence from the sheet: "
			       "leave them out");
	return 0;
}

static int check_complete(struct parser *p)
{
	const struct command *command = p->call->command;
	const char *argument = next_argument(p);

	if (p->call->options.from_path)
		return check_sheet(p);
	if (argument && !is_optional(argument))
		return err_set(p->err, E_INVAL, "'%s' needs %s", command->name, argument);
	for (const struct option_row *o = opt_options; o->name; o++)
		if ((o->required & command->id) && !(p->seen & (UINT64_C(1) << (o - opt_options))))
			return err_set(p->err, E_INVAL, "'%s' needs --%s %s", command->name, o->name, o->argument);
	return 0;
}

static bool is_set(const char *text)
{
	return text && *text;
}

static void fill_defaults(struct options *o, opt_getenv *env)
{
	const struct selection *s = &o->selection;
	const char *from_env = env("CUTOVER_STATE");
	char *folder;

	o->state_given = o->state_path || is_set(from_env);
	if (!o->state_path && is_set(from_env))
		o->state_path = str_dup(from_env);
	if (!o->state_path && o->inventory && strchr(o->inventory, '/')) {
		folder = file_dirname(o->inventory);
		o->state_path = file_join(folder, STATE_FILE);
		free(folder);
	}
	if (!o->state_path)
		o->state_path = str_dup(STATE_FILE);
	if (is_set(env("NO_COLOR")))
		o->no_color = true;
	if (!o->formats)
		o->formats = FORMAT_TEXT;
	o->selection_given = s->tenants.n || s->not_tenants.n || s->waves.n || s->labels.n || s->hosts.n ||
			     s->steps.n || s->phases || s->only;
}

/* The first word: a command, or an option that stands alone. Sets p->at behind it. */
static int take_command(struct parser *p)
{
	const char *word = p->argc > 1 ? p->argv[1] : NULL;

	p->at = 2;
	if (!word)
		return err_set(p->err, E_INVAL, "a command is needed");
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		p->call->version = true;
		return 0;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		word = "help";
	if (word[0] == '-')
		return err_set(p->err, E_INVAL, "options stand behind the command: cutover COMMAND … %s", word);
	return command_get(p, word, &p->call->command);
}

static int parse(struct parser *p)
{
	int rc = take_command(p);

	if (rc || p->call->version)
		return rc;
	while (rc == 0 && p->at < p->argc && !(p->call->help && p->call->command->id != COMMAND_HELP))
		rc = take_next(p);
	if (rc)
		return rc;
	if (p->call->command->id == COMMAND_HELP) {
		p->call->help = true;
		if (p->arguments_n == 0)
			p->call->command = NULL;
	}
	return p->call->help ? 0 : check_complete(p);
}

int opt_parse(int argc, char **argv, opt_getenv *env, struct opt_call *call, struct err *err)
{
	struct parser p = { .argc = argc, .argv = argv, .call = call, .err = err };
	int rc;

	*call = (struct opt_call){ .options.log_level = LOG_WARN };
	rc = parse(&p);
	if (rc) {
		options_release(&call->options);
		return rc;
	}
	fill_defaults(&call->options, env);
	return 0;
}

void options_release(struct options *o)
{
	for (const struct option_row *row = opt_options; row->name; row++)
		if (row->kind == OPTION_TEXT)
			free(*(char **)((char *)o + row->field));
	free(o->inventory);
	free(o->tenant);
	free(o->step);
	selection_release(&o->selection);
	*o = (struct options){ 0 };
}
