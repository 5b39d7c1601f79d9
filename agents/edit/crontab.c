#include "agents/edit/crontab.h"

#include "base/alloc.h"

/* ---- lines ------------------------------------------------------------------------------------------------------ */

struct line {
	const char *at;
	size_t len; /* without the newline */
};

/* The line that begins at *offset, which moves to the next one; false after the last. Text that ends with a newline has
   no empty line behind it. */
static bool next_line(const char *text, size_t len, size_t *offset, struct line *line)
{
	const char *end;

	if (*offset >= len)
		return false;
	line->at = text + *offset;
	end = memchr(line->at, '\n', len - *offset);
	line->len = end ? (size_t)(end - line->at) : len - *offset;
	*offset += line->len + (end ? 1 : 0);
	return true;
}

static bool begins_with(const char *at, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && memcmp(at, prefix, n) == 0;
}

/* ---- what a line is --------------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t skip_blanks(const char *at, size_t len, size_t pos)
{
	while (pos < len && is_blank(at[pos]))
		pos++;
	return pos;
}

static size_t skip_word(const char *at, size_t len, size_t pos)
{
	while (pos < len && !is_blank(at[pos]))
		pos++;
	return pos;
}

/* `NAME = value`, the name quoted or not: the length of the name with its quotes, else 0. */
static size_t env_name(const char *at, size_t len, size_t *value)
{
	size_t pos = 0;

	if (len && (at[0] == '"' || at[0] == '\'')) {
		const char *end = memchr(at + 1, at[0], len - 1);

		if (!end)
			return 0;
		pos = (size_t)(end - at) + 1;
	} else {
		while (pos < len && !is_blank(at[pos]) && at[pos] != '=')
			pos++;
	}
	size_t name = pos;
	pos = skip_blanks(at, len, pos);
	if (!name || pos == len || at[pos] != '=')
		return 0;
	*value = pos + 1;
	return name;
}

/* Cron's time fields hold no other bytes, and letters only where months and days are named: a line of prose that has
   lost its '#' is no entry. */
static bool is_time_field(const char *at, size_t len, bool named)
{
	for (size_t i = 0; i < len; i++) {
		bool letter = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z');

		if (!(at[i] >= '0' && at[i] <= '9') && !(at[i] && strchr("*,-/~?#", at[i])) && !(letter && named))
			return false;
	}
	return len > 0;
}

/* Where the time of an entry ends; 0 when the line is none. cronie allows a '-' before the minute (do not log). */
static size_t skip_time(const char *at, size_t len)
{
	size_t pos = 0, end;

	if (len && at[0] == '@') {
		end = skip_word(at, len, 0);
		return end > 1 ? end : 0;
	}
	for (int field = 0; field < 5; field++) {
		pos = skip_blanks(at, len, pos);
		end = skip_word(at, len, pos);
		if (!is_time_field(at + pos, end - pos, field >= 3))
			return 0;
		pos = end;
	}
	return pos;
}

/* The command of the entry at[0, len): up to the first `%` that no backslash is in front of. */
static bool parse_entry(const char *at, size_t len, enum crontab_format format, struct crontab_entry *entry,
			struct line *command)
{
	size_t pos = skip_blanks(at, len, 0), value, end;

	if (pos == len || at[pos] == '#' || env_name(at + pos, len - pos, &value))
		return false;
	end = skip_time(at + pos, len - pos);
	if (!end)
		return false;
	pos = skip_blanks(at, len, pos + end);
	if (format == CRONTAB_SYSTEM) {
		end = skip_word(at, len, pos);
		if (end - pos >= CRONTAB_USER_MAX)
			return false;
		memcpy(entry->user, at + pos, end - pos);
		entry->user[end - pos] = '\0';
		pos = skip_blanks(at, len, end);
	}
	command->at = at + pos;
	command->len = 0;
	while (pos + command->len < len) {
		if (command->at[command->len] == '%' && (!command->len || command->at[command->len - 1] != '\\'))
			break;
		command->len++;
	}
	return command->len > 0;
}

/* ---- does a command start the client? --------------------------------------------------------------------------- */

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
	       c == '.' || (unsigned char)c >= 0x80;
}

/* The next place of `word` as a whole name from *pos on; *pos moves behind its first byte. */
static const char *find_word(const struct line *in, const char *word, size_t *pos)
{
	size_t n = strlen(word);

	while (n && *pos < in->len && in->len - *pos >= n) {
		const char *at = memmem(in->at + *pos, in->len - *pos, word, n);

		if (!at)
			return NULL;
		*pos = (size_t)(at - in->at) + 1;
		/* "/srv/opt/x" does not name /opt/x, but "DIR=/opt/x" and ">/opt/x" do */
		if (at > in->at && is_name_char(at[-1]))
			continue;
		if (at + n < in->at + in->len && is_name_char(at[n]))
			continue;
		return at;
	}
	return NULL;
}

/* Is the name at `at` part of an absolute path? The first byte of its word decides, quotes aside: "$HOME"/x is not. */
static bool in_absolute_path(const struct line *in, const char *at)
{
	const char *start = at;

	while (start > in->at && start[-1] && (is_name_char(start[-1]) || strchr("/~${}\"'", start[-1])))
		start--;
	while (*start == '"' || *start == '\'')
		start++;
	return *start == '/';
}

static bool names_client(const struct line *in, const struct crontab_client *client)
{
	bool relative = false, elsewhere = false;
	size_t pos;

	for (const char *const *folder = client->folders; *folder; folder++) {
		pos = 0;
		if (find_word(in, *folder, &pos))
			return true;
	}
	for (const char *const *name = client->names; *name; name++) {
		const char *at;

		pos = 0;
		while ((at = find_word(in, *name, &pos))) {
			if (in_absolute_path(in, at))
				elsewhere = true;
			else
				relative = true;
		}
	}
	return relative && !elsewhere;
}

/* ---- variables that name it ------------------------------------------------------------------------------------- */

#define VARIABLES_MAX 16

struct variables {
	struct line at[VARIABLES_MAX];
	size_t n;
};

/* Notes the name where the line sets a variable to something that names the client; a later line undoes an earlier. */
static void note_variable(struct variables *vars, const struct line *line, const struct crontab_client *client)
{
	size_t start = skip_blanks(line->at, line->len, 0), from = 0;
	size_t len = start < line->len ? env_name(line->at + start, line->len - start, &from) : 0;
	struct line name = { line->at + start, len }, value;

	if (!len || line->at[start] == '#')
		return;
	if (name.at[0] == '"' || name.at[0] == '\'') {
		name.at++;
		name.len -= 2;
	}
	value = (struct line){ line->at + start + from, line->len - start - from };
	for (size_t i = 0; i < vars->n; i++) {
		if (vars->at[i].len == name.len && memcmp(vars->at[i].at, name.at, name.len) == 0)
			vars->at[i--] = vars->at[--vars->n];
	}
	if (names_client(&value, client) && vars->n < VARIABLES_MAX)
		vars->at[vars->n++] = name;
}

static bool uses_variable(const struct line *command, const struct line *name)
{
	for (size_t i = 0; i + 1 < command->len; i++) {
		size_t at = i + 1;

		if (command->at[i] != '$')
			continue;
		if (command->at[at] == '{')
			at++;
		if (command->len - at < name->len || memcmp(command->at + at, name->at, name->len) != 0)
			continue;
		at += name->len;
		if (at == command->len || !is_name_char(command->at[at]) || strchr(".-", command->at[at]))
			return true;
	}
	return false;
}

static bool starts_client(const struct line *command, const struct crontab_client *client, const struct variables *vars)
{
	if (names_client(command, client))
		return true;
	for (size_t i = 0; i < vars->n; i++) {
		if (uses_variable(command, &vars->at[i]))
			return true;
	}
	return false;
}

void crontab_find(const char *text, size_t len, enum crontab_format format, const struct crontab_client *client,
		  const char *marker, struct crontab_entry **found, size_t *found_n)
{
	struct variables vars = { 0 };
	struct line line, command;
	size_t offset = 0;
	long number = 0;

	*found = NULL;
	*found_n = 0;
	for (size_t start = 0; next_line(text, len, &offset, &line); start = offset) {
		struct crontab_entry entry = { .offset = start, .len = line.len, .line = ++number };
		size_t skip;

		note_variable(&vars, &line, client);
		entry.off = begins_with(line.at, line.len, marker);
		skip = entry.off ? strlen(marker) : 0;
		entry.body_offset = start + skip;
		entry.body_len = line.len - skip;
		if (!parse_entry(line.at + skip, line.len - skip, format, &entry, &command) ||
		    !starts_client(&command, client, &vars))
			continue;
		GROW_FOR_ONE(*found, *found_n);
		(*found)[(*found_n)++] = entry;
	}
}

/* ---- off and on ------------------------------------------------------------------------------------------------- */

struct places {
	size_t on, off;               /* how many lines are it */
	size_t on_offset, off_offset; /* of the last one of each */
};

static struct places places_of(const char *text, size_t len, const char *wanted, size_t wanted_len, const char *marker)
{
	struct places p = { 0 };
	size_t offset = 0, skip = strlen(marker);
	struct line line;

	for (size_t start = 0; next_line(text, len, &offset, &line); start = offset) {
		if (line.len == wanted_len && memcmp(line.at, wanted, wanted_len) == 0) {
			p.on++;
			p.on_offset = start;
		} else if (line.len == wanted_len + skip && begins_with(line.at, line.len, marker) &&
			   memcmp(line.at + skip, wanted, wanted_len) == 0) {
			p.off++;
			p.off_offset = start;
		}
	}
	return p;
}

static int check_places(const struct places *p, struct err *err)
{
	if (p->on + p->off == 0)
		return err_set(err, E_NOTFOUND, "the line is not there any more");
	if (p->on + p->off > 1)
		return err_set(err, E_INVAL, "the line is there %zu times: which one is meant cannot be said",
			       p->on + p->off);
	return 0;
}

int crontab_disable(const char *text, size_t len, const char *line, size_t line_len, const char *marker,
		    struct buf *out, struct err *err)
{
	struct places p = places_of(text, len, line, line_len, marker);
	int rc = check_places(&p, err);

	if (rc)
		return rc;
	if (p.off)
		return err_set(err, E_EXISTS, "the line is switched off already");
	buf_add(out, text, p.on_offset);
	buf_adds(out, marker);
	buf_add(out, text + p.on_offset, len - p.on_offset);
	return 0;
}

int crontab_enable(const char *text, size_t len, const char *line, size_t line_len, const char *marker, struct buf *out,
		   struct err *err)
{
	struct places p = places_of(text, len, line, line_len, marker);
	int rc = check_places(&p, err);
	size_t skip = strlen(marker);

	if (rc)
		return rc;
	if (p.on)
		return err_set(err, E_EXISTS, "the line is switched on already");
	buf_add(out, text, p.off_offset);
	buf_add(out, text + p.off_offset + skip, len - p.off_offset - skip);
	return 0;
}

bool crontab_has_marker(const char *text, size_t len, const char *marker)
{
	size_t offset = 0;
	struct line line;

	while (next_line(text, len, &offset, &line)) {
		if (begins_with(line.at, line.len, marker))
			return true;
	}
	return false;
}
