/*
 * The JSON in the journal that says what things are called: the notes "procedure" and "tenant", and what a run says of
 * itself. What is missing or of another type reads as empty: a report of an old or odd state file is better than none.
 */
#ifndef REPORT_META_H
#define REPORT_META_H

#include "report/model.h"

void meta_procedure(struct report *report, const char *data);
void meta_tenant(struct report_tenant *tenant, const char *data);
void meta_run(struct report_run *out, const struct row_run *run, bool held);

/* What a person does of the row, from its note "instruction". */
void meta_instruction(struct report_row *row, const char *data);

/* Frees what these have set, and sets it to empty. */
void meta_procedure_clear(struct report *report);
void meta_tenant_clear(struct report_tenant *tenant);
void meta_run_clear(struct report_run *run);
void meta_instruction_clear(struct report_row *row);

#endif
