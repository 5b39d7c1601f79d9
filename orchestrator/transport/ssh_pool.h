/*
 * What a bastion's pool of sessions does next: open a connection through one of them, log in once more, or wait. Pure.
 *
 * libssh2 has one state for all channel opens of a session, so that a target that does not answer holds up every other
 * open in its session for as long as it is waited for. Hence several sessions with one pending open each:
 *
 *   - a session is asked to open one connection at a time, and carries POOL_TUNNELS_MAX at most (what is lost at once
 *     when it is cut);
 *   - when every session is busy opening for POOL_GROW_MS and somebody waits, or at once when all are full, there is one
 *     more, up to POOL_SESSIONS_MAX; one login at a time, since servers count unfinished ones (MaxStartups);
 *   - a bastion that has not yet answered any open may be one that never does: POOL_GROW_UNPROVEN_MS then;
 *   - a session whose open was not answered in time takes no new ones, serves what it has and is closed (retired).
 *     POOL_ALL_MAX bounds these with all others;
 *   - targets that did not answer the last time (suspects) come after all others and get half of the sessions at most:
 *     dead targets that are tried again and again delay no other.
 */
#ifndef TRANSPORT_SSH_POOL_H
#define TRANSPORT_SSH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	POOL_SESSIONS_MAX = 16,
	POOL_ALL_MAX = 32,
	POOL_TUNNELS_MAX = 20,
	POOL_GROW_MS = 50,
	POOL_GROW_UNPROVEN_MS = 1000,
};

struct pool_session {
	bool ready;   /* logged in */
	bool retired; /* takes no new opens */
	bool opening, opening_suspect;
	unsigned tunnels; /* open ones */
};

struct pool_view {
	const struct pool_session *sessions;
	size_t n;
	unsigned waiting, waiting_suspects; /* of the waiting */
	unsigned level, used;               /* places; taken ones: opens under way and open connections */
	bool proven;                        /* it has answered an open, by yes or no */
	bool may_login;                     /* no login has failed lately */
	int64_t quiet_ms;                   /* since somebody waits and no login was begun */
};

enum pool_move { POOL_WAIT, POOL_OPEN, POOL_LOGIN };

struct pool_step {
	enum pool_move move;
	size_t session;   /* POOL_OPEN: through this one */
	bool suspect;     /* POOL_OPEN: for the first suspect, else for the first other */
	bool held;        /* POOL_WAIT: it is the level that holds them up */
	int64_t again_ms; /* POOL_WAIT: ask again after this; 0: when something has happened */
};

struct pool_step pool_next(const struct pool_view *view);

#endif
