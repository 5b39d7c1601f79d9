#include "schema/state.h"

#include <stdint.h>

#define TO(state) (UINT32_C(1) << (state))

/* What one can go to from "running". */
#define OUTCOMES                                                                                                       \
	(TO(STEP_VERIFIED) | TO(STEP_UNCHANGED) | TO(STEP_APPLIED) | TO(STEP_FAILED) | TO(STEP_DRIFT) |                \
	 TO(STEP_UNREACHABLE) | TO(STEP_INDETERMINATE) | TO(STEP_NEEDS_PERSON) | TO(STEP_ROLLED_BACK) |                \
	 TO(STEP_NOT_APPLICABLE) | TO(STEP_WAITING) | TO(STEP_PENDING))

/* What one can go to from a failure. */
#define AFTER_FAILURE                                                                                                  \
	(TO(STEP_RUNNING) | TO(STEP_WITHDRAWN) | TO(STEP_ROLLED_BACK) | TO(STEP_NEEDS_PERSON) | TO(STEP_CONFIRMED) |   \
	 TO(STEP_NOT_APPLICABLE))

/* What one can go to once it is done. */
#define AFTER_SUCCESS (TO(STEP_RUNNING) | TO(STEP_ROLLED_BACK) | TO(STEP_WITHDRAWN))

static const struct {
	const char *name;
	uint32_t to;
	const char *meaning;
} state_table[STEP_STATES] = {
	[STEP_PENDING] = { "pending",
			   TO(STEP_WAITING) | TO(STEP_BLOCKED) | TO(STEP_RUNNING) | TO(STEP_NOT_APPLICABLE) |
				   TO(STEP_NEEDS_PERSON) | TO(STEP_WITHDRAWN),
			   "not begun" },
	[STEP_WAITING] = { "waiting", TO(STEP_PENDING) | TO(STEP_WITHDRAWN), "waits for its time" },
	[STEP_BLOCKED] = { "blocked", TO(STEP_PENDING) | TO(STEP_WITHDRAWN), "something else comes first" },
	[STEP_RUNNING] = { "running", OUTCOMES, "under way" },
	[STEP_APPLIED] = { "applied",
			   TO(STEP_RUNNING) | TO(STEP_VERIFIED) | TO(STEP_FAILED) | TO(STEP_INDETERMINATE) |
				   TO(STEP_NEEDS_PERSON) | TO(STEP_WAITING) | TO(STEP_ROLLED_BACK),
			   "done, not yet proved" },
	[STEP_VERIFIED] = { "verified", AFTER_SUCCESS, "done and looked at again" },
	[STEP_UNCHANGED] = { "unchanged", AFTER_SUCCESS, "was as it should be" },
	[STEP_NOT_APPLICABLE] = { "not_applicable", TO(STEP_PENDING) | TO(STEP_WITHDRAWN), "not needed here" },
	[STEP_NEEDS_PERSON] = { "needs_person",
				TO(STEP_CONFIRMED) | TO(STEP_FAILED) | TO(STEP_RUNNING) | TO(STEP_NOT_APPLICABLE) |
					TO(STEP_WITHDRAWN),
				"a person has to act" },
	[STEP_CONFIRMED] = { "confirmed", AFTER_SUCCESS, "a person did it" },
	[STEP_FAILED] = { "failed", AFTER_FAILURE, "did not work" },
	[STEP_DRIFT] = { "drift", AFTER_FAILURE, "neither the old nor the new value: left alone" },
	[STEP_UNREACHABLE] = { "unreachable", AFTER_FAILURE, "the host does not answer" },
	[STEP_INDETERMINATE] = { "indeterminate", TO(STEP_RUNNING), "the outcome is not known yet" },
	[STEP_ROLLED_BACK] = { "rolled_back", TO(STEP_RUNNING) | TO(STEP_WITHDRAWN), "put back as it was" },
	[STEP_WITHDRAWN] = { "withdrawn", TO(STEP_PENDING), "no longer in the inventory" },
};

const char *step_state_name(enum step_state state)
{
	return state_table[state].name;
}

int step_state_parse(const char *name)
{
	for (int i = 0; i < STEP_STATES; i++)
		if (strcmp(state_table[i].name, name) == 0)
			return i;
	return -1;
}

bool step_state_may(enum step_state from, enum step_state to)
{
	return (state_table[from].to & TO(to)) != 0;
}

bool step_state_is_done(enum step_state state)
{
	return (TO(state) & (TO(STEP_VERIFIED) | TO(STEP_UNCHANGED) | TO(STEP_CONFIRMED) | TO(STEP_NOT_APPLICABLE))) != 0;
}

bool step_state_is_bad(enum step_state state)
{
	return (TO(state) & (TO(STEP_FAILED) | TO(STEP_DRIFT) | TO(STEP_UNREACHABLE) | TO(STEP_INDETERMINATE) |
			     TO(STEP_ROLLED_BACK))) != 0;
}

const char *step_state_meaning(enum step_state state)
{
	return state_table[state].meaning;
}

static const char *const tenant_states[TENANT_STATES] = { "not_ready", "ready", "switching",   "half_switched",
							  "watching",  "done",	"rolled_back", "failed" };

const char *tenant_state_name(enum tenant_state state)
{
	return tenant_states[state];
}

static const char *const phases[PHASES] = { "prepare", "ready", "switch", "settle" };

const char *phase_name(enum phase phase)
{
	return phases[phase];
}

int phase_parse(const char *name)
{
	for (int i = 0; i < PHASES; i++)
		if (strcmp(phases[i], name) == 0)
			return i;
	return -1;
}
