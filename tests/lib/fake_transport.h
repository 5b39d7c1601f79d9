/*
 * Hosts in memory, for tests of the engine: a transport (transport/transport.h) whose hosts have a value, a lamp and a
 * counter, and which can fail in every way at any op. Callbacks come from fake_transport_deliver only.
 *
 * A host understands OP_EXEC commands: "look" (prints VALUE LAMP), "lamp off", "lamp on", "set V" (compare-and-set from
 * "old"), "unset" (back to "old"), "poke" (counts), "name" (prints its name), and what `extra` says.
 *
 * It is the controller's own transport as well: a remote without an address takes OP_HTTP. https://new.example/N answers with
 * the value of host N, https://old.example/N with "old"; either can fail for as long as a test wants.
 *
 * The hosts' memory is shared with child processes, so that a test can kill the controller and look at what it left.
 */
#ifndef TESTS_LIB_FAKE_TRANSPORT_H
#define TESTS_LIB_FAKE_TRANSPORT_H

#include "transport/transport.h"

#define FAKE_HOSTS_MAX 64

struct fake_host {
	char value[32];	 /* "old", "new", "other" */
	bool lamp;	 /* on at the start */
	int sets;	 /* how often "set" changed the value */
	int pokes;
	int busy;	 /* polls until it is idle: "look" says BUSY meanwhile */
	char name[32];
	char host_key[64]; /* what it shows (the key itself is this text, too); a new host is let in, one that was seen with
			      another key is not */
	int new_failure, old_failure; /* E_…: how its services fail; 0: they answer */
	int new_asked, old_asked;
	char password[32]; /* what they were asked with the last time */
};

/* What goes wrong at the n-th thing (ops and openings are counted together, from 1). */
enum fake_fault {
	FAULT_NONE,
	FAULT_OPEN_REFUSED,    /* an opening: E_REFUSED; an op: cut before it began */
	FAULT_CUT_BEFORE,      /* E_CLOSED, started false */
	FAULT_CUT_BEFORE_UNKNOWN, /* E_CLOSED, started true, nothing was done */
	FAULT_CUT_AFTER,       /* E_CLOSED, started true, it was done */
	FAULT_TIMEOUT,	       /* E_TIMEOUT, started true, killed before it did anything */
	FAULT_KILL,	       /* the process ends before the op is done */
	FAULT_KILL_AFTER,      /* the process ends right after the op was done */
	FAULT_SUDO,	       /* E_SUDO; of a service: E_TLS */
	FAULTS
};

struct fake_transport {
	struct transport base;
	struct fake_host *hosts; /* FAKE_HOSTS_MAX, mmap'ed; address "10.0.0.N" is hosts[N] */
	int *clock_of_ops;	 /* shared: things counted so far */
	enum fake_fault fault;
	int fault_at;	  /* the n-th thing; 0: never */
	int fault_times;  /* how many in a row; 0 stands for 1 */
	const char *fault_on; /* each op with this command, too; NULL: none */
	int open_refused[FAKE_HOSTS_MAX]; /* openings of that host that are refused; -1: all */
	int open_unsigned[FAKE_HOSTS_MAX]; /* the same, with E_SIGN: our own side cannot log in */
	int unsigned_after_fault;	   /* so many openings after the fault end with E_SIGN */
	void (*before_op)(const struct op *op, void *arg); /* a test looks at the journal before an effect; or NULL */
	void *before_arg;
	struct fake_event *first, *last; /* callbacks to deliver */
	int open; /* remotes that are open now */
	int most_open;
	int local_open, local_most_open; /* of these, the controller itself */
	int opened; /* in all */
	bool shuts_after_key[FAKE_HOSTS_MAX]; /* E_AUTH, once the key was shown */
	bool heeds_pins;      /* spec.host_keys count: another key is refused */
	struct buf *openings; /* a line an opening, "acme/h1 10.0.0.1:22 windows via bastion b": added, or NULL */
};

void fake_transport_init(struct fake_transport *t);
void fake_transport_release(struct fake_transport *t);

/* Delivers one callback; false when there is none. */
bool fake_transport_deliver(struct fake_transport *t);

#endif
