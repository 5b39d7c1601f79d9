#include "report/cause.h"

#include "base/alloc.h"
#include "base/map.h"

#include <ctype.h>

/* ---- the text --------------------------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || (c && strchr("._:/@%+-~_\\", c));
}

/* Is each character of the word one of these? */
static bool only(const char *word, size_t len, const char *these)
{
	for (size_t i = 0; i < len; i++)
		if (!strchr(these, word[i]))
			return false;
	return len > 0;
}

static size_t count_of(const char *word, size_t len, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += word[i] == c;
	return n;
}

static bool has_digit(const char *word, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)word[i]))
			return true;
	return false;
}

static bool is_text(const char *word, size_t len, const char *text)
{
	return *text && strlen(text) == len && memcmp(word, text, len) == 0;
}

static bool begins(const char *word, size_t len, const char *text)
{
	return len >= strlen(text) && memcmp(word, text, strlen(text)) == 0;
}

/* With its zone ("%eth0"), where there is one. */
static bool is_ipv6(const char *word, size_t len)
{
	const char *zone = memchr(word, '%', len);
	size_t address = zone ? (size_t)(zone - word) : len;

	return count_of(word, address, ':') >= 2 && only(word, address, "0123456789abcdefABCDEF:./");
}

/* What a word is called; NULL: it is told as it is. */
static const char *word_class(const char *word, size_t len, const char *tenant, const char *host)
{
	bool digit = has_digit(word, len);

	if (is_text(word, len, tenant) || is_text(word, len, host))
		return "<name>";
	if (begins(word, len, "/") || begins(word, len, "~/"))
		return "<path>";
	if (memmem(word, len, "://", 3))
		return "<url>";
	if (begins(word, len, "SHA256:") || (digit && len >= 7 && only(word, len, "0123456789abcdef")))
		return "<hash>";
	if (digit && count_of(word, len, '.') == 3 && only(word, len, "0123456789.:/"))
		return "<address>";
	if (is_ipv6(word, len))
		return "<address>";
	if (digit && only(word, len, "0123456789.:+-TZ/%"))
		return "<n>";
	if (memchr(word, '@', len) || memchr(word, '.', len))
		return "<name>";
	return NULL;
}

/* A word without a class: its digits are numbers ("pid4711"). */
static void add_plain(struct buf *out, const char *word, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (!isdigit((unsigned char)word[i])) {
			buf_addc(out, word[i++]);
			continue;
		}
		buf_adds(out, "<n>");
		while (i < len && isdigit((unsigned char)word[i]))
			i++;
	}
}

static size_t add_word(struct buf *out, const char *text, const char *tenant, const char *host)
{
	size_t len = 0, tail;
	const char *class;

	while (is_word(text[len]))
		len++;
	tail = len; /* the sentence's own marks behind a word are no part of it */
	while (tail > 1 && strchr(".:", text[tail - 1]))
		tail--;
	class = word_class(text, tail, tenant, host);
	if (class)
		buf_adds(out, class);
	else
		add_plain(out, text, tail);
	buf_add(out, text + tail, len - tail);
	return len;
}

void cause_normalise(struct buf *out, const char *text, const char *tenant, const char *host)
{
	while (*text) {
		const char *close = *text == '"' || *text == '\'' ? strchr(text + 1, *text) : NULL;

		if (close) {
			buf_adds(out, "<value>");
			text = close + 1;
		} else if (is_word(*text)) {
			text += add_word(out, text, tenant, host);
		} else {
			buf_addc(out, *text++);
		}
	}
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

enum cause_kind cause_kind_of(enum step_state state)
{
	switch (state) {
	case STEP_FAILED:
	case STEP_DRIFT:
	case STEP_UNREACHABLE:
	case STEP_INDETERMINATE:
	case STEP_ROLLED_BACK:
		return CAUSE_FAILURE;
	case STEP_NEEDS_PERSON:
		return CAUSE_PERSON;
	case STEP_APPLIED:
		return CAUSE_PROOF;
	case STEP_WAITING:
		return CAUSE_WAITING;
	case STEP_BLOCKED:
		return CAUSE_BLOCKED;
	case STEP_PENDING:
		return CAUSE_PENDING;
	case STEP_RUNNING:
		return CAUSE_RUNNING;
	case STEP_VERIFIED:
	case STEP_UNCHANGED:
	case STEP_NOT_APPLICABLE:
	case STEP_CONFIRMED:
	case STEP_WITHDRAWN:
	case STEP_STATES:
		return CAUSE_KINDS;
	}
	return CAUSE_KINDS;
}

/* "host:sync1/ruby" → "sync1" */
static void host_of(const char *target, char *host, size_t size)
{
	const char *name = strchr(target, ':');

	snprintf(host, size, "%s", name ? name + 1 : "");
	host[strcspn(host, "/")] = '\0';
}

static void normalise_row(const struct row *row, struct buf *out)
{
	char host[256];

	host_of(row->target, host, sizeof(host));
	cause_normalise(out, row->text ? row->text : "", row->tenant, host);
}

static void cause_add(struct report_cause *cause, const struct report_row *row)
{
	const char *text = row->row->text ? row->row->text : "";

	if (cause->rows_n == 0 || cause->rows[cause->rows_n - 1]->tenant != row->tenant)
		cause->tenants_n++;
	if (cause->same_text && strcmp(cause->text, text) != 0) {
		struct buf normal = BUF_INIT;

		normalise_row(row->row, &normal);
		free(cause->text);
		cause->text = str_dup(buf_str(&normal));
		cause->same_text = false;
		buf_release(&normal);
	}
	GROW_FOR_ONE(cause->rows, cause->rows_n);
	cause->rows[cause->rows_n++] = row;
}

static void group_row(struct map *causes, const struct report_row *row, enum cause_kind kind)
{
	const struct row *r = row->row;
	struct buf key = BUF_INIT;
	struct report_cause *cause;

	buf_addf(&key, "%d\x1f%s\x1f%s\x1f", (int)r->state, r->code ? r->code : "", r->step);
	normalise_row(r, &key);
	cause = map_get(causes, buf_str(&key));
	if (!cause) {
		cause = NEW(struct report_cause);
		*cause = (struct report_cause){
			.kind = kind,
			.state = r->state,
			.code = r->code ? r->code : "",
			.step = r->step,
			.about = row->step,
			.text = str_dup(r->text ? r->text : ""),
			.same_text = true,
		};
		map_set(causes, buf_str(&key), cause);
	}
	cause_add(cause, row);
	buf_release(&key);
}

/* By kind; what was put back on purpose behind what failed; most rows first; then as the procedure has it. */
static int compare_causes(const void *pa, const void *pb)
{
	const struct report_cause *a = pa, *b = pb;
	size_t x = a->about ? a->about->order : SIZE_MAX, y = b->about ? b->about->order : SIZE_MAX;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if ((a->state == STEP_ROLLED_BACK) != (b->state == STEP_ROLLED_BACK))
		return a->state == STEP_ROLLED_BACK ? 1 : -1;
	if (a->rows_n != b->rows_n)
		return a->rows_n > b->rows_n ? -1 : 1;
	if (x != y)
		return x < y ? -1 : 1;
	return strcmp(a->text, b->text);
}

void causes_find(struct report *r)
{
	struct map causes = { 0 };

	for (size_t i = 0; i < r->tenants_n; i++)
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++) {
			const struct report_row *row = r->tenants[i]->rows[k];
			enum cause_kind kind = cause_kind_of(row->row->state);

			if (kind != CAUSE_KINDS)
				group_row(&causes, row, kind);
		}
	r->causes = NEW_N(struct report_cause, causes.n + 1);
	for (size_t i = 0; i < causes.cap; i++) {
		if (!causes.slots[i].value)
			continue;
		r->causes[r->causes_n++] = *(struct report_cause *)causes.slots[i].value;
		free(causes.slots[i].value);
	}
	map_release(&causes);
	qsort(r->causes, r->causes_n, sizeof(*r->causes), compare_causes);
}

void causes_free(struct report *r)
{
	for (size_t i = 0; i < r->causes_n; i++) {
		free(r->causes[i].text);
		free(r->causes[i].rows);
	}
	free(r->causes);
}

size_t causes_rows(const struct report *r, enum cause_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->causes_n; i++)
		n += r->causes[i].kind == kind ? r->causes[i].rows_n : 0;
	return n;
}
