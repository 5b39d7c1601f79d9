/*
 * The engine's pen: every entry of a run passes here. An entry is folded into the rows (journal/rows.h) at once and
 * appended to the journal; where an effect depends on it, the waiter's callback tells when it is on the disk.
 *
 * ledger_move is the one function that moves a row's state; a move that schema/state.h does not allow ends the program
 * (exit 70): better no further step than a wrong one.
 *
 * Without a journal (`plan`) entries are folded and nothing is stored. When the journal is broken (disk full), waiters
 * get its error, `broken` is set and the engine starts nothing new.
 */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include "engine/events.h"
#include "journal/rows.h"

struct ledger {
	struct journal *journal; /* NULL: plan */
	struct rows *rows;
	const struct clock *clock;
	struct events *events; /* NULL: none */
	const char *procedure;
	int64_t run;
	size_t pending; /* appends on their way */
	bool broken;
	struct err broken_why;
	void (*changed)(struct ledger *ledger); /* pending became 0, or broken was set */
	void *arg;
	void (*moved)(const struct row *row, void *arg); /* a row's state has changed; or NULL */
	void *moved_arg;
};

/* Embedded in who waits; `done` comes on the loop, later. */
struct ledger_waiter {
	void (*done)(struct ledger_waiter *waiter, int status);
	struct ledger *ledger;
	struct journal_append append;
};

/* Entries get run, procedure and time here. Blobs as in journal_append. waiter may be NULL. */
void ledger_add(struct ledger *l, struct journal_entry *entries, const struct journal_blob *blobs, size_t n,
		struct ledger_waiter *waiter);

/* The same on the spot: returns when it is on the disk. For a person who waits for the answer. */
int ledger_add_now(struct ledger *l, struct journal_entry *entries, const struct journal_blob *blobs, size_t n,
		   struct err *err);

/* Stores blobs that an entry added after this call names in its data. */
void ledger_put_blobs(struct ledger *l, const struct journal_blob *blobs, size_t n);

/* Moves a row; over `pending` where there is no direct move. code is E_… or 0. */
void ledger_move(struct ledger *l, struct row *row, enum step_state to, int code, const char *text, int64_t until_ms);

/* An entry about a row with the usual fields filled. */
struct journal_entry ledger_entry(const struct row *row, enum journal_kind kind, const char *action, const char *item);

#endif
