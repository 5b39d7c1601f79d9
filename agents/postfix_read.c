#include "agents/postfix_read.h"
#include "agents/frames.h"
#include "agents/script.h"

#include "base/alloc.h"

#define READ "postfix-read.sh"

/* What a parameter's tables are looked up by, and so where in them a relay stands. */
enum table_use { USE_NONE, USE_VALUES, USE_KEYS };

static const struct {
	const char *name;
	enum table_use use;
} table_parameters[] = {
	{ "transport_maps", USE_VALUES },
	{ "fallback_transport_maps", USE_VALUES },
	{ "mailbox_transport_maps", USE_VALUES },
	{ "sender_dependent_relayhost_maps", USE_VALUES },
	{ "sender_dependent_default_transport_maps", USE_VALUES },
	{ "smtp_sasl_password_maps", USE_KEYS },
	{ "lmtp_sasl_password_maps", USE_KEYS },
	{ "smtp_tls_policy_maps", USE_KEYS },
	{ "lmtp_tls_policy_maps", USE_KEYS },
	{ "smtp_tls_per_site", USE_KEYS },
};

/* Types of tables that are text; those that postmap makes an index of first. */
static const char *const indexed_types[] = { "hash", "btree", "lmdb", "cdb", "dbm", "sdbm" };
static const char *const pattern_types[] = { "regexp", "pcre" };
static const char *const plain_types[] = { "texthash", "cidr" };

/* Types that ask nobody: what they say stands in main.cf or master.cf, where it is found. */
static const char *const harmless_types[] = { "static", "inline", "environ", "fail", "internal" };

static bool is_among(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], word) == 0)
			return true;
	}
	return false;
}

const char *postfix_instance(const struct facts *f, int i, const char *name)
{
	return fact_at(f, "pf", i, name);
}

/* ---- lists of what is to be looked into -------------------------------------------------------------------------- */

static void set_at(struct facts *f, const char *prefix, int i, const char *name, const char *value)
{
	char key[FACT_KEY_MAX];

	facts_set_text(f, fact_key(key, prefix, i, name), value);
}

static void set_count(struct facts *f, const char *prefix, int n)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.n", prefix);
	facts_setf(f, key, "%d", n);
}

static int count_of(const struct facts *f, const char *prefix)
{
	char key[FACT_KEY_MAX];

	snprintf(key, sizeof(key), "%s.n", prefix);
	return fact_number(f, key);
}

static bool is_listed(const struct facts *f, const char *prefix, const char *path)
{
	for (int i = 0; i < count_of(f, prefix); i++) {
		if (strcmp(fact_at(f, prefix, i, "path"), path) == 0)
			return true;
	}
	return false;
}

/* A file that instances share is there once. */
static bool add_file(struct facts *f, const char *prefix, int pf, const char *path, const char *kind, const char *map, const char *asked)
{
	int n = count_of(f, prefix);
	char number[16];

	if (is_listed(f, prefix, path))
		return true;
	if (n == POSTFIX_FILES_MAX)
		return false;
	snprintf(number, sizeof(number), "%d", pf);
	set_at(f, prefix, n, "path", path);
	set_at(f, prefix, n, "kind", kind);
	set_at(f, prefix, n, "pf", number);
	set_at(f, prefix, n, "map", map);
	set_at(f, prefix, n, "asked", asked);
	set_count(f, prefix, n + 1);
	return true;
}

static bool add_unread(struct facts *f, int pf, const char *asked, const char *table)
{
	int n = count_of(f, "unread");
	char *text = str_fmt("%s of %s asks %.200s", asked, postfix_instance(f, pf, "dir"), table);
	bool fits = n < POSTFIX_UNREAD_MAX;

	if (fits) {
		set_at(f, "unread", n, "text", text);
		set_count(f, "unread", n + 1);
	}
	free(text);
	return fits;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* TYPE:PATH, as it stands in a parameter. */
static bool add_table(struct facts *f, int pf, const char *asked, enum table_use use, const char *table)
{
	const char *plain = strncmp(table, "proxy:", 6) == 0 ? table + 6 : table, *colon = strchr(plain, ':');
	char type[16] = "";
	bool indexed, patterns;

	if (colon)
		snprintf(type, sizeof(type), "%.*s", (int)(colon - plain < 15 ? colon - plain : 15), plain);
	if (colon && is_among(harmless_types, ARRAY_LEN(harmless_types), type))
		return true;
	indexed = is_among(indexed_types, ARRAY_LEN(indexed_types), type);
	patterns = is_among(pattern_types, ARRAY_LEN(pattern_types), type);
	if (!colon || colon[1] != '/' || !(indexed || patterns || is_among(plain_types, ARRAY_LEN(plain_types), type)))
		return add_unread(f, pf, asked, table);
	if (use == USE_VALUES)
		return add_file(f, "file", pf, colon + 1, patterns ? "patterns" : "table", indexed ? plain : "", asked);
	return add_file(f, "key", pf, colon + 1, patterns || strcmp(type, "cidr") == 0 ? "patterns" : "table", indexed ? plain : "", asked);
}

/* The end of the word at `at`: a comma or a blank outside of braces. */
static const char *word_end(const char *at)
{
	int depth = 0;

	for (; *at && (depth || !strchr(", \t", *at)); at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}' && depth)
			depth--;
	}
	return at;
}

static bool add_tables(struct facts *f, int pf, const char *asked, enum table_use use, const char *value)
{
	bool fits = true;

	for (const char *at = value; *at;) {
		const char *end = word_end(at);

		if (end > at) {
			char *word = str_ndup(at, (size_t)(end - at));
			fits &= add_table(f, pf, asked, use, word);
			free(word);
		}
		at = *end ? end + 1 : end;
	}
	return fits;
}

static enum table_use use_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table_parameters); i++) {
		if (strcmp(table_parameters[i].name, name) == 0)
			return table_parameters[i].use;
	}
	return USE_NONE;
}

/* One line, `NAME = VALUE` or `SERVICE/TYPE/NAME = VALUE`. */
static bool parameter(struct facts *f, int pf, char *line, bool is_override)
{
	char *value = strstr(line, " ="), *name = line;
	enum table_use use;

	if (!value)
		return true;
	*value = '\0';
	for (value += 2; *value == ' '; value++)
		;
	if (is_override && strrchr(line, '/'))
		name = strrchr(line, '/') + 1;
	if (!is_override && strcmp(name, "relayhost") == 0)
		set_at(f, "pf", pf, "relayhost", value);
	use = use_of(name);
	return use == USE_NONE || add_tables(f, pf, is_override ? line : name, use, value);
}

static bool parameters(struct facts *f, int pf, const struct frame *frame, bool are_overrides)
{
	char *text = frame_text(frame), *rest = text, *line;
	bool fits = true;

	while ((line = strsep(&rest, "\n")))
		fits &= parameter(f, pf, line, are_overrides);
	free(text);
	return fits;
}

/* ---- the script's answer ----------------------------------------------------------------------------------------- */

static bool instance(struct facts *f, const struct frame *frame)
{
	int n = count_of(f, "pf");
	char *dir = frame_text(frame), *main_cf = str_fmt("%s/main.cf", dir), *master_cf = str_fmt("%s/master.cf", dir);
	bool fits;

	set_at(f, "pf", n, "dir", dir);
	set_count(f, "pf", n + 1);
	/* master.cf first: what it refers to counts when main.cf is read. */
	fits = add_file(f, "file", n, master_cf, "master", "", "") && add_file(f, "file", n, main_cf, "main", "", "");
	free(dir);
	free(main_cf);
	free(master_cf);
	return fits;
}

static bool one_frame(struct facts *f, const struct frame *frame)
{
	int pf = count_of(f, "pf") - 1;
	char *text;

	if (frame_is(frame, "none"))
		facts_set_text(f, "pf.none", "yes");
	else if (frame_is(frame, "more"))
		return false;
	else if (frame_is(frame, "instance"))
		return instance(f, frame);
	else if (pf < 0)
		return true;
	else if (frame_is(frame, "parameters") || frame_is(frame, "overrides"))
		return parameters(f, pf, frame, frame_is(frame, "overrides"));
	else if (frame_is(frame, "running") || frame_is(frame, "pid") || frame_is(frame, "queue")) {
		text = frame_text(frame);
		set_at(f, "pf", pf, frame->name, text);
		free(text);
	}
	return true;
}

bool postfix_parse(struct facts *f, const char *text, size_t len)
{
	struct frame frame;
	size_t at = 0;
	bool fits = true;

	set_count(f, "pf", 0);
	set_count(f, "file", 0);
	set_count(f, "key", 0);
	set_count(f, "unread", 0);
	while (frames_next(text, len, &at, &frame))
		fits &= one_frame(f, &frame);
	if (!fits)
		facts_set_text(f, "pf.more", "yes");
	return fits;
}

enum step_request postfix_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX])
{
	const char *dir = agent_param(ctx, "config_dir");

	item[0] = '\0';
	if (n > 0)
		return OP_END;
	script_op(op, READ);
	op->max_out_bytes = (size_t)4 << 20;
	op_arg(op, dir ? dir : "");
	return OP_DO;
}

struct verdict postfix_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result)
{
	struct verdict verdict;

	(void)n;
	if (!script_answered(result, READ, &verdict))
		return verdict;
	postfix_parse(ctx->now, buf_str(&result->out), result->out.len);
	return verdict_ok();
}
