#include "journal/chain.h"

#include "base/alloc.h"

static const char *const kinds[JOURNAL_KINDS] = {
	[JOURNAL_RUN] = "run",           [JOURNAL_RUN_END] = "run-end",   [JOURNAL_STATE] = "state",
	[JOURNAL_BEFORE] = "before",     [JOURNAL_INTENT] = "intent",     [JOURNAL_OUTCOME] = "outcome",
	[JOURNAL_DEBT] = "debt",         [JOURNAL_PAID] = "paid",         [JOURNAL_CHANGES] = "changes",
	[JOURNAL_EVIDENCE] = "evidence", [JOURNAL_IDENTITY] = "identity", [JOURNAL_PERSON] = "person",
	[JOURNAL_NOTE] = "note",
};

const char *journal_kind_name(enum journal_kind kind)
{
	return kinds[kind];
}

static int kind_parse(const char *name)
{
	for (int i = 0; i < JOURNAL_KINDS; i++)
		if (strcmp(kinds[i], name) == 0)
			return i;
	return -1;
}

/* ---- columns -------------------------------------------------------------------------------------------------- */

static struct entry_column text(const char *value)
{
	return (struct entry_column){ .text = value ? value : "" };
}

static struct entry_column number(int64_t value)
{
	return (struct entry_column){ .number = value };
}

void entry_columns(const struct journal_entry *e, struct entry_column out[ENTRY_COLUMNS])
{
	const struct entry_column columns[ENTRY_COLUMNS] = {
		number(e->seq),       number(e->run),        number(e->wall_ms), text(kinds[e->kind]),
		text(e->procedure),   text(e->tenant),       text(e->step),      text(e->target),
		text(e->action),      text(e->item),         number(e->attempt), text(e->from),
		text(e->to),          text(e->code),         text(e->text),      number(e->until_ms),
		number(e->exit_code), number(e->elapsed_ms), text(e->data),      text(e->blob_sha256),
		text(e->prev_hash),   text(e->hash),
	};

	memcpy(out, columns, sizeof(columns));
}

int entry_bind(sqlite3_stmt *stmt, const struct journal_entry *entry)
{
	struct entry_column columns[ENTRY_COLUMNS];
	int rc = SQLITE_OK;

	entry_columns(entry, columns);
	for (int i = 0; i < ENTRY_COLUMNS && rc == SQLITE_OK; i++)
		if (columns[i].text)
			rc = sqlite3_bind_text(stmt, i + 1, columns[i].text, -1, SQLITE_STATIC);
		else
			rc = sqlite3_bind_int64(stmt, i + 1, columns[i].number);
	return rc;
}

/* What the program never writes, and what would read as something else than it is: a number that does not fit, a NUL
   inside of a text. `odd` is set then. */
static const char *text_at(sqlite3_stmt *stmt, int column, bool *odd)
{
	const char *value = (const char *)sqlite3_column_text(stmt, column);

	if (!value)
		return "";
	if (strlen(value) != (size_t)sqlite3_column_bytes(stmt, column))
		*odd = true;
	return value;
}

static int32_t small_at(sqlite3_stmt *stmt, int column, bool *odd)
{
	int64_t value = sqlite3_column_int64(stmt, column);

	if (value < INT32_MIN || value > INT32_MAX)
		*odd = true;
	return (int32_t)value;
}

int entry_read(sqlite3_stmt *stmt, struct journal_entry *e, struct err *err)
{
	bool odd = false;
	const char *kind_name = text_at(stmt, 3, &odd);
	int kind = kind_parse(kind_name);

	*e = (struct journal_entry){
		.seq = sqlite3_column_int64(stmt, 0),
		.run = sqlite3_column_int64(stmt, 1),
		.wall_ms = sqlite3_column_int64(stmt, 2),
		.procedure = text_at(stmt, 4, &odd),
		.tenant = text_at(stmt, 5, &odd),
		.step = text_at(stmt, 6, &odd),
		.target = text_at(stmt, 7, &odd),
		.action = text_at(stmt, 8, &odd),
		.item = text_at(stmt, 9, &odd),
		.attempt = small_at(stmt, 10, &odd),
		.from = text_at(stmt, 11, &odd),
		.to = text_at(stmt, 12, &odd),
		.code = text_at(stmt, 13, &odd),
		.text = text_at(stmt, 14, &odd),
		.until_ms = sqlite3_column_int64(stmt, 15),
		.exit_code = small_at(stmt, 16, &odd),
		.elapsed_ms = sqlite3_column_int64(stmt, 17),
		.data = text_at(stmt, 18, &odd),
		.blob_sha256 = text_at(stmt, 19, &odd),
		.prev_hash = text_at(stmt, 20, &odd),
		.hash = text_at(stmt, 21, &odd),
	};
	if (kind < 0 || odd)
		return err_set(err, E_CORRUPT,
			       "entry %lld of the journal (kind \"%s\") was not written by this program",
			       (long long)e->seq, kind_name);
	e->kind = (enum journal_kind)kind;
	return 0;
}

/* ---- hashes --------------------------------------------------------------------------------------------------- */

void chain_add_bytes(struct buf *out, const void *bytes, size_t len)
{
	buf_addf(out, "%zu:", len);
	buf_add(out, bytes, len);
	buf_addc(out, ',');
}

void chain_add_number(struct buf *out, int64_t value)
{
	char digits[24];

	chain_add_bytes(out, digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)value));
}

const char *entry_hash(const struct journal_entry *entry, struct buf *scratch, char out[SHA256_HEX_MAX])
{
	struct entry_column columns[ENTRY_COLUMNS];

	entry_columns(entry, columns);
	buf_clear(scratch);
	for (int i = 0; i < ENTRY_COLUMNS - 1; i++)
		if (columns[i].text)
			chain_add_bytes(scratch, columns[i].text, strlen(columns[i].text));
		else
			chain_add_number(scratch, columns[i].number);
	return sha256_hex(buf_str(scratch), scratch->len, out);
}

void chain_revision_data(struct buf *out, int64_t revision, const char *sha256, const struct journal_file *files,
			 size_t n)
{
	char hex[SHA256_HEX_MAX];
	struct buf all;

	buf_init(&all, (size_t)1 << 31);
	for (size_t i = 0; i < n; i++) {
		chain_add_bytes(&all, files[i].path, strlen(files[i].path));
		chain_add_bytes(&all, files[i].bytes, files[i].len);
	}
	buf_addf(out, "{\"revision\": %lld, \"sha256\": \"%s\", \"files\": %zu, \"files_sha256\": \"%s\"}",
		 (long long)revision, sha256, n, sha256_hex(buf_str(&all), all.len, hex));
	buf_release(&all);
}

/* ---- heads ---------------------------------------------------------------------------------------------------- */

char *chain_head_add(struct map *heads, const char *tenant)
{
	char *hash = mem_new(SHA256_HEX_MAX, 1);

	map_set(heads, tenant, hash);
	return hash;
}

void chain_heads_release(struct map *heads)
{
	for (size_t i = 0; i < heads->cap; i++)
		free(heads->slots[i].value);
	map_release(heads);
}
