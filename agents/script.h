/*
 * Small things that agents need for ops with a script of agents/remote/.
 */
#ifndef AGENTS_SCRIPT_H
#define AGENTS_SCRIPT_H

#include "agents/agent.h"

/* Exit codes that the scripts have in common. */
#define SCRIPT_CHANGED 3 /* compare-and-set: it is not what was expected; nothing was done */
#define SCRIPT_MISSING 4
#define SCRIPT_FAILED 5

/* Makes the op a run of that script, with the host's `become`. */
void script_op(struct op *op, const char *script);

/* Did it end with 0, and is all of its answer there? Else *verdict says what. */
bool script_answered(const struct op_result *result, const char *script, struct verdict *verdict);

/* The same for a cmd script, whose answer is lines and then `end`. `what` failed, for people: "the tasks could not be
   listed". Too long is E_LIMIT, cut is a retry. */
bool script_lines_answered(const struct op_result *result, const char *what, struct verdict *verdict);

/* The last few lines of what it said on stderr (else stdout), printable, for a text; the caller frees. Those of a
   Windows host are in its code page. */
char *script_words(const struct op_result *result);
char *script_words_windows(const struct op_result *result);

/* A string of the inventory's entry, or NULL. */
const char *agent_param(const struct agent_ctx *ctx, const char *key);

/* The fact `prefix`.I.`name` ("schedule.entry.3.line") as text, "" when it is not there; and the key itself. */
#define FACT_KEY_MAX 64
const char *fact_key(char key[FACT_KEY_MAX], const char *prefix, int i, const char *name);
const char *fact_at(const struct facts *facts, const char *prefix, int i, const char *name);
/* A fact that is a small number; 0 when it is not there. */
int fact_number(const struct facts *facts, const char *key);

#endif
