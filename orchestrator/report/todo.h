/*
 * todo: what needs somebody, over all tenants, what is due first on top: what people do by the inventory or since no agent
 * of this version can, what agents ask people, and what went wrong. Each with whose it is, from when and by when (due.h),
 * what to do, and the exact line that says it is done. What waits for itself or for something else is not in it.
 */
#ifndef REPORT_TODO_H
#define REPORT_TODO_H

#include "report/due.h"

struct todo_item {
	const struct report_row *row;
	char owner[16]; /* "us", "customer", "isp"; what went wrong is ours */
	struct due due;
};

struct todo {
	struct todo_item *at; /* by due date, those without one last; then as the tenants and steps stand */
	size_t n;
};

/* Zeroed: everything. Names are the caller's. */
struct todo_filter {
	const char *owner;
	char *const *tenants;
	size_t tenants_n;
	char *const *steps; /* worksheet: only these */
	size_t steps_n;
	bool confirmable; /* worksheet: only what a confirmation settles, nothing that went wrong */
};

/* Of a report that is loaded; todo_release frees. */
void todo_collect(const struct report *report, const struct todo_filter *filter, struct todo *out);
void todo_release(struct todo *todo);

/* The whole list, for people and for machines (schema/todo.v1.schema.json). E_NOTFOUND: a tenant of the filter is not in the
   state file (the text names near ones); else as report_load. Brief: cheaper than a report. */
int todo_text(const struct report_query *query, const struct todo_filter *filter, struct buf *out, struct err *err);
int todo_json(const struct report_query *query, const struct todo_filter *filter, struct buf *out, struct err *err);

/* Loads for a list: checks the filter's tenants. */
int todo_load(const struct report_query *query, const struct todo_filter *filter, struct report **out, struct err *err);

#endif
