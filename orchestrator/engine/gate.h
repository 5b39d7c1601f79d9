/*
 * Gates: may a row be done now? Pure: tenant, phase and time in, an answer with its reason out.
 *
 *   prepare  any day
 *   ready    from the migration date on, any hour
 *   switch   inside one of the tenant's windows, from the migration date on, within the vendor's period
 *   settle   once the tenant's last switch step is done
 *
 * No gate holds for restore and revert: what we took down is brought up at any hour. Looking (observe, verify) needs no
 * gate either.
 */
#ifndef ENGINE_GATE_H
#define ENGINE_GATE_H

#include "inventory/model.h"

enum gate_answer { GATE_OPEN, GATE_LATER, GATE_NEVER };

struct gate {
	enum gate_answer answer;
	int64_t until_ms; /* LATER: when to ask again; OPEN: when it closes (INT64_MAX: never) */
	char text[256];	  /* LATER and NEVER: why, in the tenant's own time */
};

void gate_time(const struct tenant *t, enum phase phase, int64_t now_ms, struct gate *out);

/* The end of the last window that is not over yet, 0 when none is left. */
int64_t gate_last_window_end(const struct tenant *t, int64_t now_ms);

#endif
