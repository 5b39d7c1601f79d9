/*
 * What reports need to know of the inventory, written into the journal (journal.h, kind note): the procedure with its
 * titles, and each tenant with its name, windows and language. Written when it is not there yet or has changed.
 */
#ifndef ENGINE_DESCRIBE_H
#define ENGINE_DESCRIBE_H

#include "engine/ledger.h"
#include "engine/roster.h"

/* The data of the two notes; the caller frees. */
char *describe_procedure(const struct procedure *p);
char *describe_tenant(const struct tenant *t, const struct procedure *p, size_t rows);

/* Adds what is new, for the procedure and every tenant of the roster. `reader` tells what is there. */
int describe_all(struct ledger *ledger, struct journal_reader *reader, const struct inventory *inv,
		 const struct roster *roster, struct err *err);

#endif
