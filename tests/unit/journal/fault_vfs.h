/*
 * A disk that fails. An SQLite VFS around the machine's own one, which can make the N-th operation fail, and which
 * knows what of each file would be there after the power went off: what was synced surely, what was written since then
 * perhaps, in any order and in parts.
 */
#ifndef TESTS_UNIT_JOURNAL_FAULT_VFS_H
#define TESTS_UNIT_JOURNAL_FAULT_VFS_H

#include <stdbool.h>

enum fault_kind {
	FAULT_WRITE,    /* a write fails */
	FAULT_FULL,     /* a write finds the disk full */
	FAULT_SYNC,     /* fsync fails */
	FAULT_TRUNCATE, /* ftruncate fails */
	FAULT_READ,     /* a read fails */
	FAULT_KINDS
};

/* Makes it the default VFS, for the rest of the process. */
void fault_vfs_install(void);

/* From now on the n-th (from 0) operation of that kind fails; with `sticky` each later one, too. n < 0: none. */
void fault_arm(enum fault_kind kind, int n, bool sticky);

/* Did the fault happen since it was armed? */
bool fault_happened(void);

/* Called before each operation that changes a file, on the thread that does it; NULL: not. The books for
   fault_power_off are kept from then on, so it has to be there before the first file is opened. */
void fault_on_change(void (*fn)(void *arg), void *arg);

/* Writes into `folder` what the disk might hold if the power went off now. Another seed, another possibility; seed 0:
   nothing of what was not synced; seed 1: all of it. May be called from fault_on_change's function. */
void fault_power_off(const char *folder, unsigned seed);

#endif
