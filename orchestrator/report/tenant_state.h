/*
 * The state of a tenant, derived from the states of its rows; never stored. Knows phases, no vendor. The first that
 * applies of
 *
 *     half_switched   something of phase switch was moved by us or by a person, and the last step of that phase is not done:
 *                     she is served by both systems at once. The first line of every morning
 *     failed          a row is failed, drift, unreachable or indeterminate
 *     rolled_back     a row was put back
 *     done            all rows are done
 *     watching        all rows of switch are done, of settle not yet
 *     switching       a row of switch is under way
 *     ready           all rows of prepare and ready are done, nothing is switched
 *     not_ready       else
 *
 * Withdrawn rows do not count; a tenant with no other rows is not_ready.
 */
#ifndef REPORT_TENANT_STATE_H
#define REPORT_TENANT_STATE_H

#include "schema/state.h"

#include <stddef.h>

/* What the derivation needs of a row. */
struct tenant_state_row {
	enum step_state state;
	enum phase phase;
	bool last_switch; /* of the last step of phase switch */
};

enum tenant_state tenant_state_derive(const struct tenant_state_row *rows, size_t n);

#endif
