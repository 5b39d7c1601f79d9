#include <errno.h>

#include "fault.h"

enum arg_rule { ARG_NONE, ARG_NEEDED, ARG_OPTIONAL };

static const struct {
	const char *name;
	enum arg_rule arg;
} names[FAULT_COUNT] = {
    [FAULT_REFUSE] = {"refuse", ARG_NONE},
    [FAULT_HANG_ACCEPT] = {"hang:accept", ARG_NONE},
    [FAULT_HANG_BANNER] = {"hang:banner", ARG_NONE},
    [FAULT_HANG_KEX] = {"hang:kex", ARG_NONE},
    [FAULT_FLOOD_BANNER] = {"flood:banner", ARG_NONE},
    [FAULT_GARBAGE] = {"garbage", ARG_NONE},
    [FAULT_HANG_AUTH] = {"hang:auth", ARG_NONE},
    [FAULT_HANG_OPEN] = {"hang:open", ARG_NONE},
    [FAULT_HANG_EXEC] = {"hang:exec", ARG_NONE},
    [FAULT_HANG_AFTER] = {"hang:after", ARG_NEEDED},
    [FAULT_CUT_EXEC] = {"cut:exec", ARG_NEEDED},
    [FAULT_CUT_AFTER] = {"cut:after", ARG_NEEDED},
    [FAULT_CUT_INPUT] = {"cut:input", ARG_NEEDED},
    [FAULT_FLOOD] = {"flood", ARG_OPTIONAL},
    [FAULT_EXIT_LIE] = {"exit:lie", ARG_NONE},
    [FAULT_EXIT_NONE] = {"exit:none", ARG_NONE},
    [FAULT_EXIT_32] = {"exit:32", ARG_NEEDED},
    [FAULT_HOSTKEY_CHANGE] = {"hostkey:change", ARG_NEEDED},
    [FAULT_AUTH_DENY] = {"auth:deny", ARG_NONE},
    [FAULT_SLOW] = {"slow", ARG_NEEDED},
};

bool number_parse(const char *text, uint64_t *out)
{
	char *end = NULL;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end;
}

/* "once:" and "times:K:" in front; the rest of the text, or NULL. */
static const char *parse_times(const char *text, uint64_t *times)
{
	char *end = NULL;

	*times = 0;
	if (!strncmp(text, "once:", 5)) {
		*times = 1;
		return text + 5;
	}
	if (strncmp(text, "times:", 6) != 0)
		return text;
	errno = 0;
	*times = strtoull(text + 6, &end, 10);
	return errno || *end != ':' || !*times ? NULL : end + 1;
}

static bool fault_matches(enum fault_kind kind, const char *text, uint64_t *arg)
{
	size_t n = strlen(names[kind].name);

	*arg = 0;
	if (strncmp(text, names[kind].name, n) != 0)
		return false;
	if (!text[n])
		return names[kind].arg != ARG_NEEDED;
	return names[kind].arg != ARG_NONE && text[n] == ':' && number_parse(text + n + 1, arg);
}

bool faults_add(struct faults *faults, const char *text)
{
	struct fault fault = {.seen = 0};

	text = parse_times(text, &fault.times);
	if (!text || faults->count == FAULTS_MAX)
		return false;
	for (int kind = 0; kind < FAULT_COUNT; kind++) {
		fault.kind = (enum fault_kind)kind;
		if (fault_matches(fault.kind, text, &fault.arg)) {
			faults->fault[faults->count++] = fault;
			return true;
		}
	}
	return false;
}

void faults_connect(struct faults *faults, struct fault_set *out)
{
	memset(out, 0, sizeof *out);
	faults->connections++;
	for (unsigned i = 0; i < faults->count; i++) {
		struct fault *fault = &faults->fault[i];

		if (fault->kind == FAULT_HOSTKEY_CHANGE && faults->connections < fault->arg)
			continue;
		if (fault->times && fault->seen >= fault->times)
			continue;
		fault->seen++;
		out->bits |= 1u << fault->kind;
		out->arg[fault->kind] = fault->arg;
	}
}

const char *fault_name(enum fault_kind kind)
{
	return names[kind].name;
}
