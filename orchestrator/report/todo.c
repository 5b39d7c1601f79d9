#include "report/todo.h"

#include "base/alloc.h"
#include "report/advice.h"
#include "report/escape.h"
#include "report/json_out.h"
#include "report/next.h"
#include "report/summary.h"
#include "report/words.h"

/* ---- what is in it ---------------------------------------------------------------------------------------------- */

static bool is_among(const char *name, char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return n == 0;
}

static bool is_failure(const struct report_row *row)
{
	return cause_kind_of(row->row->state) == CAUSE_FAILURE;
}

/* What was put back on purpose stays so until somebody names it: nobody owes it. */
static bool is_owed(const struct report_row *row, const struct todo_filter *f)
{
	if (row->row->state == STEP_NEEDS_PERSON || (row->row->state == STEP_BLOCKED && next_missing(row)))
		return true;
	return !f->confirmable && is_failure(row) && row->row->state != STEP_ROLLED_BACK;
}

static void collect_row(const struct report *r, const struct report_row *row, const struct todo_filter *f,
			struct todo *out)
{
	struct todo_item item = { .row = row };

	if (!is_owed(row, f) || !is_among(row->row->step, f->steps, f->steps_n))
		return;
	if (is_failure(row))
		snprintf(item.owner, sizeof(item.owner), "us");
	else
		report_row_who(row, item.owner);
	if (f->owner && strcmp(f->owner, item.owner) != 0)
		return;
	item.due = due_of(r, row);
	GROW_FOR_ONE(out->at, out->n);
	out->at[out->n++] = item;
}

/* Tenants by name: the order of the report, by urgency, is another question. */
static int compare_items(const void *pa, const void *pb)
{
	const struct todo_item *a = pa, *b = pb;
	int64_t x = a->due.by_ms ? a->due.by_ms : INT64_MAX, y = b->due.by_ms ? b->due.by_ms : INT64_MAX;
	size_t p = a->row->step ? a->row->step->order : SIZE_MAX, q = b->row->step ? b->row->step->order : SIZE_MAX;
	int order = (x > y) - (x < y);

	if (!order)
		order = strverscmp(a->row->tenant->id, b->row->tenant->id);
	if (!order)
		order = (p > q) - (p < q);
	return order ? order : strverscmp(a->row->row->target, b->row->row->target);
}

void todo_collect(const struct report *r, const struct todo_filter *f, struct todo *out)
{
	*out = (struct todo){ 0 };
	for (size_t i = 0; i < r->tenants_n; i++) {
		if (!is_among(r->tenants[i]->id, f->tenants, f->tenants_n))
			continue;
		for (size_t k = 0; k < r->tenants[i]->rows_n; k++)
			collect_row(r, r->tenants[i]->rows[k], f, out);
	}
	if (out->n)
		qsort(out->at, out->n, sizeof(*out->at), compare_items);
}

void todo_release(struct todo *todo)
{
	free(todo->at);
	*todo = (struct todo){ 0 };
}

int todo_load(const struct report_query *query, const struct todo_filter *f, struct report **out, struct err *err)
{
	struct report *r;
	int rc = report_load_depth(query, true, &r, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < f->tenants_n && rc == 0; i++) {
		size_t k = 0;

		while (k < r->tenants_n && strcmp(r->tenants[k]->id, f->tenants[i]) != 0)
			k++;
		if (k == r->tenants_n)
			rc = tenant_unknown(query->reader, f->tenants[i], err);
	}
	if (rc)
		report_free(r);
	else
		*out = r;
	return rc;
}

/* ---- for people ------------------------------------------------------------------------------------------------- */

static size_t count_overdue(const struct report *r, const struct todo *todo)
{
	size_t n = 0;

	for (size_t i = 0; i < todo->n; i++)
		n += todo->at[i].due.by_ms && todo->at[i].due.by_ms <= r->now_ms;
	return n;
}

static void head(const struct report *r, const struct todo *todo, struct buf *out)
{
	static const char *const owners[] = { "us", "customer", "isp" };
	size_t overdue = count_overdue(r, todo);
	struct buf line = BUF_INIT;

	if (!todo->n) {
		summary_line(r, TEXT_PLAIN, in_lang(r->lang, "nothing to do for anybody", "対応待ちの作業はありません"), 0,
			     out);
		return;
	}
	buf_addf(&line, in_lang(r->lang, "%zu to do", "対応待ち %zu 件"), todo->n);
	for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
		size_t n = 0;

		for (size_t k = 0; k < todo->n; k++)
			n += strcmp(todo->at[k].owner, owners[i]) == 0;
		if (n)
			buf_addf(&line, in_lang(r->lang, ", %zu for %s", "、%zu 件 %s"), n, word_who(owners[i], r->lang));
	}
	if (overdue)
		buf_addf(&line, in_lang(r->lang, "; %zu overdue", "、期限超過 %zu 件"), overdue);
	summary_line(r, overdue ? TEXT_RED : TEXT_BOLD, buf_str(&line), 0, out);
	buf_release(&line);
}

/* "by 2026-12-01 22:00 +09:00, when the window opens (in 3 h 05 min)" */
static void add_due(const struct report *r, const struct todo_item *item, struct buf *line)
{
	int offset_min = item->row->tenant->offset_min;
	char when[WHEN_MAX], span[WHEN_MAX];
	int64_t left_ms = item->due.by_ms - r->now_ms;

	if (!item->due.by_ms) {
		buf_adds(line, in_lang(r->lang, "no date", "期限なし"));
		return;
	}
	when_minute(item->due.by_ms, offset_min, when);
	span_text(left_ms > 0 ? left_ms : -left_ms, span);
	buf_addf(line, in_lang(r->lang, "by %s, %s ", "期限 %s (%s) "), when, due_kind_words(item->due.kind, r->lang));
	if (left_ms > 0)
		buf_addf(line, in_lang(r->lang, "(in %s)", "(あと %s)"), span);
	else
		buf_addf(line, in_lang(r->lang, "(OVERDUE for %s)", "(期限超過 %s)"), span);
}

static void item_head(const struct report *r, const struct todo_item *item, struct buf *out)
{
	const struct report_row *row = item->row;
	bool overdue = item->due.by_ms && item->due.by_ms <= r->now_ms;
	struct buf line = BUF_INIT;

	buf_addf(&line, "%s %s %s: %s, ", row->tenant->id, row->row->step, row->row->target,
		 step_state_name(row->row->state));
	buf_addf(&line, in_lang(r->lang, "for %s, ", "担当 %s、"), word_who(item->owner, r->lang));
	add_due(r, item, &line);
	buf_addc(out, '\n');
	summary_line(r, overdue ? TEXT_RED : text_style_of(row->row->state), buf_str(&line), 0, out);
	buf_clear(&line);
	if (*report_tenant_name(row->tenant) && strcmp(report_tenant_name(row->tenant), row->tenant->id) != 0)
		buf_addf(&line, "%s: ", report_tenant_name(row->tenant));
	buf_adds(&line, report_step_title(row, r->lang == REPORT_JA));
	if (row->step && *row->step->vendor)
		buf_addf(&line, in_lang(r->lang, " (the vendor's step %s)", " (ベンダ手順 %s)"), row->step->vendor);
	summary_paragraph(r, buf_str(&line), 4, out);
	buf_release(&line);
}

static void item_text(const struct report *r, const struct todo_item *item, struct buf *out)
{
	struct buf text = BUF_INIT;

	item_head(r, item, out);
	next_told(r, item->row, &text);
	summary_paragraph(r, buf_str(&text), 4, out);
	buf_clear(&text);
	next_instruction(item->row, r->lang == REPORT_JA, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 4, out);
	buf_clear(&text);
	if (is_failure(item->row))
		next_move(r, item->row, &text);
	else
		next_early(r, item->row, &text);
	if (text.len)
		summary_paragraph(r, buf_str(&text), 4, out);
	buf_clear(&text);
	next_commands(r, item->row, &text);
	summary_commands(r, buf_str(&text), 4, out);
	buf_release(&text);
}

/* So many of one step are better filled in as a sheet. */
#define MANY 10

static void hint(const struct report *r, const struct todo *todo, struct buf *out)
{
	for (size_t i = 0; i < r->steps_n; i++) {
		struct buf line = BUF_INIT;
		size_t n = 0;

		for (size_t k = 0; k < todo->n; k++)
			n += !is_failure(todo->at[k].row) && todo->at[k].row->step == &r->steps[i];
		if (n < MANY)
			continue;
		buf_addf(&line, in_lang(r->lang, "%zu × %s: as one sheet to fill in:", "%zu × %s: 一覧表として出力するには:"), n,
			 r->steps[i].name);
		buf_addc(out, '\n');
		summary_paragraph(r, buf_str(&line), 0, out);
		buf_clear(&line);
		buf_addf(&line, "cutover worksheet --step %s --csv", r->steps[i].name);
		advice_state(r, &line);
		summary_commands(r, buf_str(&line), 4, out);
		buf_release(&line);
	}
}

static int check_size(const struct buf *out, struct err *err)
{
	return out->truncated ? err_set(err, E_LIMIT, "the list is larger than %zu bytes: ask with --tenant or --owner",
					out->max)
			      : 0;
}

int todo_text(const struct report_query *query, const struct todo_filter *f, struct buf *out, struct err *err)
{
	struct report *r;
	struct todo todo;
	int rc = todo_load(query, f, &r, err);

	if (rc)
		return rc;
	todo_collect(r, f, &todo);
	head(r, &todo, out);
	if (!f->owner || strcmp(f->owner, "us") == 0)
		summary_debts(r, out);
	for (size_t i = 0; i < todo.n; i++)
		item_text(r, &todo.at[i], out);
	hint(r, &todo, out);
	todo_release(&todo);
	report_free(r);
	return check_size(out, err);
}

/* ---- for machines ----------------------------------------------------------------------------------------------- */

static void instruction(struct json_out *j, const struct report_row *row)
{
	if (!report_instruction(row, false))
		return;
	json_begin(j, "instruction", '{');
	json_text(j, "en", row->instruction.en);
	json_text_if(j, "ja", row->instruction.ja);
	json_end(j, '}');
}

static void commands(struct json_out *j, const struct report *r, const struct report_row *row)
{
	struct buf text = BUF_INIT;
	const char *line;

	next_commands(r, row, &text);
	json_begin(j, "commands", '[');
	for (line = buf_str(&text); *line;) {
		size_t len = strcspn(line, "\n");
		char *one = str_ndup(line, len);

		json_text(j, NULL, one);
		free(one);
		line += len + (line[len] == '\n');
	}
	json_end(j, ']');
	buf_release(&text);
}

static void item_json(struct json_out *j, const struct report *r, const struct todo_item *item)
{
	const struct report_row *row = item->row;
	int offset_min = row->tenant->offset_min;

	json_line(j, 1);
	json_begin(j, NULL, '{');
	json_text(j, "tenant", row->tenant->id);
	json_text(j, "name", report_tenant_name(row->tenant));
	json_text(j, "step", row->row->step);
	json_text(j, "target", row->row->target);
	json_text(j, "state", step_state_name(row->row->state));
	json_text(j, "owner", item->owner);
	json_text(j, "title", report_step_title(row, r->lang == REPORT_JA));
	json_time(j, "from", item->due.from_ms, offset_min);
	json_time(j, "due", item->due.by_ms, offset_min);
	json_text(j, "due_when", due_kind_name(item->due.kind));
	json_bool(j, "overdue", item->due.by_ms && item->due.by_ms <= r->now_ms);
	json_text(j, "text", row->row->text ? row->row->text : "");
	instruction(j, row);
	commands(j, r, row);
	json_end(j, '}');
}

int todo_json(const struct report_query *query, const struct todo_filter *f, struct buf *out, struct err *err)
{
	struct json_out j = { .out = out };
	struct report *r;
	struct todo todo;
	int rc = todo_load(query, f, &r, err);

	if (rc)
		return rc;
	todo_collect(r, f, &todo);
	json_begin(&j, NULL, '{');
	json_number(&j, "todo", 1);
	json_time(&j, "made_at", r->now_ms, r->offset_min);
	json_number(&j, "open_debts", (int64_t)r->debts_n);
	json_begin(&j, "items", '[');
	for (size_t i = 0; i < todo.n; i++)
		item_json(&j, r, &todo.at[i]);
	json_end(&j, ']');
	json_end(&j, '}');
	buf_addc(out, '\n');
	todo_release(&todo);
	report_free(r);
	return check_size(out, err);
}
