/*
 * The small parts of the HTML file. Everything that is not written in the source passes escape_html. Colours and sizes
 * are classes (html_style.c): the file's own policy allows no style attribute and no script but its own.
 */
#ifndef REPORT_HTML_PARTS_H
#define REPORT_HTML_PARTS_H

#include "report/cause.h"

extern const char html_css[];
extern const char html_script[];

/* Escaped text; and between two pieces of markup, left out as a whole where it is empty. */
void html_text(struct buf *out, const char *text);
void html_wrap(struct buf *out, const char *before, const char *text, const char *after);

/* <time> with the exact time in its attribute; the shown form is `shown`. */
void html_time(struct buf *out, int64_t wall_ms, int offset_min, const char *shown);

/* The pill of a state. */
void html_step_badge(struct buf *out, enum step_state state, enum report_lang lang);
void html_tenant_badge(struct buf *out, const struct report_tenant *tenant, enum report_lang lang);

/* The class of a state's colour: "bad", "half", "warn", "run", "good", "quiet". */
const char *html_step_class(enum step_state state);
const char *html_tenant_class(enum tenant_state state);

/* The id of a tenant's section. */
void html_anchor(struct buf *out, const char *id);

/* A bar of parts; a part without size is left out. */
struct html_part {
	const char *class;
	size_t size;
};
void html_bar(struct buf *out, const char *class, const struct html_part *parts, size_t n);
/* Of a tenant's rows, by state. */
void html_progress(struct buf *out, const struct report_tenant *tenant);

/* Commands, a line each. */
void html_commands(struct buf *out, const char *commands);

/* A JSON object as "key value" pairs; keys in `skip` (ended by NULL) are left out. */
void html_data(struct buf *out, const char *json, const char *const *skip);

/* Takes back what was added since `len`: a section that turned out to be empty. */
void html_cut(struct buf *out, size_t len);

/* How many rows of a tenant are done, and how many count. */
size_t html_done_rows(const struct report_tenant *tenant, size_t *all);

#endif
