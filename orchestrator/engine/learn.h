/*
 * Learning host keys: logs in to every selected host, compares what its identity_check says, and gives what each showed, for a
 * person to look at. Nothing is changed on a host, nothing is written, nothing is trusted: a host of which a key is known has
 * to show that one, and a bastion of which none is known is looked at by itself, while the hosts behind it wait until
 * somebody has pinned it. So a way is learnt from the outside to the inside, one machine each time.
 *
 * Life: learn_new, learn_start, the loop runs, done comes once; then learn_free (inside done, too).
 */
#ifndef ENGINE_LEARN_H
#define ENGINE_LEARN_H

#include "base/clock.h"
#include "inventory/select.h"
#include "journal/rows.h"
#include "transport/transport.h"

enum learn_result {
	LEARN_NONE,	/* not looked at, since it was stopped before */
	LEARN_PROVED,	/* a new key, and its identity_check agrees */
	LEARN_UNPROVED, /* a new key, and nothing tells whether it is the right machine */
	LEARN_KNOWN,	/* it showed the key that is known of it; its identity_check, where it has one, agrees */
	LEARN_WRONG,	/* its identity_check does not agree: another machine */
	LEARN_REFUSED,	/* it showed another key than the one that is known, one that is revoked, or another host's */
	LEARN_FAILED,	/* no login, or no answer */
	LEARN_BEHIND,	/* behind a bastion that has to be pinned first */
	LEARN_RESULTS
};

struct learned {
	/* Of a bastion: the host on whose way it was found. */
	const struct tenant *tenant;
	const struct host *host;
	const struct bastion *bastion; /* this is about that bastion; NULL: about the host */
	enum learn_result result;
	char *text; /* printable: what identity_check said, or why there is no answer */

	/* What it showed, where that may be taken (PROVED, UNPROVED, KNOWN); else "". */
	char *key;  /* "ssh-ed25519 SHA256:…", as host_key takes it */
	int bits;   /* the key's length, as ssh-keygen -l says it */
	char *name; /* as a known_hosts file names it: "sync1.example", "[sync1.example]:2222" */
	char *blob; /* the key in base64 */
	char *banner;	 /* its version line, printable */
	int64_t wall_ms; /* when it answered */
	/* NULL, or why a line of known_hosts would say too much: it would hold for another machine, too. */
	const char *ambiguous;
};

struct learn;

struct learn_config {
	struct transport *transport;
	const struct clock *clock;
	const struct inventory *inventory;
	const struct selection *selection; /* tenants and hosts of it count */
	const struct rows *rows;	   /* what hosts showed before (rows_host_key), or NULL */
	int concurrency;		   /* hosts at once */
	/* Is a key of this machine known, by a known_hosts file? (Pins of the inventory are looked at before.) */
	bool (*known)(const struct connection *c, void *arg);
	void (*told)(const struct learned *learned, void *arg); /* after each; or NULL */
	void (*done)(struct learn *learn, void *arg);
	void *arg;
};

struct learn *learn_new(const struct learn_config *config);

/* done comes later; from inside only where there is nothing to connect to. */
void learn_start(struct learn *l);

/* Nothing more is opened, what is open is closed; done comes. Without effect after done, or twice. */
void learn_stop(struct learn *l);
void learn_free(struct learn *l);

/* After done: bastions first, then hosts in the order of the inventory. */
const struct learned *learn_results(const struct learn *l, size_t *n);

/* How many have that result. */
size_t learn_count(const struct learn *l, enum learn_result result);

/* The results as a known_hosts file (sshd(8)): proved keys as lines that count, unproved ones and ambiguous ones as comments,
   and above each who answered, when, the fingerprint as `ssh-keygen -lf FILE` prints it, and what was compared. Who gets no
   line is named with the reason; who showed the key that is known is not in it. Pure. */
void learn_write(const struct learn *l, const char *inventory, struct buf *out);

/* "bastion tokyo-1", "acme/sync1", added to `out`. */
void learned_name(const struct learned *learned, struct buf *out);

/* "proved", "another machine", … */
const char *learn_result_word(enum learn_result result);

#endif
