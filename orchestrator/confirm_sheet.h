/* cutover confirm --from FILE. */
#ifndef ORCHESTRATOR_CONFIRM_SHEET_H
#define ORCHESTRATOR_CONFIRM_SHEET_H

#include "cmd.h"

/* Says what came of it, each problem with its line; the error is the last word. */
int confirm_sheet(const struct options *o, struct err *err);

#endif
