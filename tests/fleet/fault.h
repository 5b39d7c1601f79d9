/*
 * fault: what a host does wrong, as written in the hosts file (see README.md for what each name does).
 *
 *     FAULT   = [once: | times:K:] NAME [:ARG]
 *
 * A host has up to FAULTS_MAX of them. Which of them hold for a connection is decided once, when it is accepted.
 */
#ifndef FLEET_FAULT_H
#define FLEET_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULTS_MAX 8

enum fault_kind {
	FAULT_REFUSE,
	FAULT_HANG_ACCEPT,
	FAULT_HANG_BANNER,
	FAULT_HANG_KEX,
	FAULT_FLOOD_BANNER,
	FAULT_GARBAGE,
	FAULT_HANG_AUTH,
	FAULT_HANG_OPEN,
	FAULT_HANG_EXEC,
	FAULT_HANG_AFTER,
	FAULT_CUT_EXEC,
	FAULT_CUT_AFTER,
	FAULT_CUT_INPUT,
	FAULT_FLOOD,
	FAULT_EXIT_LIE,
	FAULT_EXIT_NONE,
	FAULT_EXIT_32,
	FAULT_HOSTKEY_CHANGE,
	FAULT_AUTH_DENY,
	FAULT_SLOW,
	FAULT_COUNT
};

struct fault {
	enum fault_kind kind;
	uint64_t arg;
	uint64_t times; /* holds for this many connections; 0: for all */
	uint64_t seen;  /* connections it held for */
};

struct faults {
	struct fault fault[FAULTS_MAX];
	unsigned count;
	uint64_t connections;
};

/* The faults of one connection. */
struct fault_set {
	uint32_t bits;
	uint64_t arg[FAULT_COUNT];
};

/* Adds the fault that `text` names (without "fault="). False: not understood, or too many. */
bool faults_add(struct faults *, const char *text);

/* Counts a connection and says what holds for it. */
void faults_connect(struct faults *, struct fault_set *out);

static inline bool fault_holds(const struct fault_set *set, enum fault_kind kind)
{
	return set->bits & (1u << kind);
}

const char *fault_name(enum fault_kind);

/* A decimal number, nothing before or after it. */
bool number_parse(const char *text, uint64_t *out);

#endif
