/*
 * What status, why and report have in common: a state file that is only read, beside a running controller too.
 */
#ifndef ORCHESTRATOR_READING_H
#define ORCHESTRATOR_READING_H

#include "cmd.h"
#include "report/report.h"

#define HOLDER_MAX 256

struct reading {
	struct report_query query; /* reader, tenant, language, state file and, while a controller holds it, holder */
	char holder[HOLDER_MAX];
};

/* Opens the state file of the options. Errors as journal_reader_open; then nothing is to be closed. */
int reading_open(const struct options *o, struct reading *r, struct err *err);

/* What is now: the time, and whether a controller holds the file. */
int reading_refresh(struct reading *r, struct err *err);

void reading_close(struct reading *r);

#endif
