/*
 * The machines that connections go through. One of them (a bastion, or a host whose network is to be seen from inside)
 * has a pool of sessions, all of them relays (ssh_remote.h), which carry tunnels (ssh_tunnel.h). Who wants a connection
 * waits here for a place (ssh_level.h: how many this machine takes at once) and for a session that is free to open one
 * (ssh_pool.h: when there is another). Two specs that say the same (ssh_spec_digest) are one machine. A machine behind
 * another one has its relays go through that one's pool, to any depth.
 *
 * What goes wrong, and whose it is:
 *
 *   - the machine cannot connect to the target, or gets no answer in time: E_UNREACHABLE, about the target. Silence
 *     costs its session (ssh_pool.h), a refusal costs nothing.
 *   - it does not allow it: E_FORWARDING, in the same words for all as long as it has allowed none. It has no room:
 *     half the level, a pause that doubles, and again, up to OPEN_TRIES times.
 *   - it cannot be reached, closes early, does not keep to the protocol: all who wait are told, with its name, unless
 *     there are other sessions to it; and nobody tries it again for HOLD_FIRST_MS, twice as long each time, up to
 *     HOLD_MAX_MS, however many ask, who are told the same meanwhile. So a target's tries are not counted for it, and it
 *     gets no reason to ban us (PerSourcePenalties of sshd_config(5) lasts 10 minutes at most).
 *   - its login is refused, or its host key is not the one: E_BASTION, and it is never tried again: one refused login,
 *     not one for each target.
 *   - it never answered any of SILENT_MAX opens: as if it could not be reached.
 *   - a session is cut: its tunnels are lost (request->lost); what was being opened is opened through another.
 *
 * All of this but the refused login is true of the machine (address, port and way to it) whoever logs in: a bastion to
 * which each tenant comes with a key of its own has as many pools, and one level, one hold, LOGINS_MAX logins at once.
 *
 * A session without tunnels is closed after IDLE_MS.
 */
#ifndef TRANSPORT_SSH_BASTION_H
#define TRANSPORT_SSH_BASTION_H

#include "transport/transport.h"

enum {
	OPEN_TRIES = 8,
	OPEN_PAUSE_MS = 200,
	HOLD_FIRST_MS = 5000,
	HOLD_MAX_MS = 600000,
	SILENT_MAX = 4,
	LOGINS_MAX = 4,
	IDLE_MS = 15000,
};

struct ssh_transport;

/* tunnel_open, tunnel_cancel of transport.h. */
void ssh_bastion_open(struct ssh_transport *t, const struct remote_spec *through, struct tunnel_request *request);
void ssh_bastion_cancel(struct tunnel_request *request);

/* What a request waits for: "bastion tokyo-1: auth", "bastion tokyo-1: waiting for a place", "bastion tokyo-1: connecting
   on"; and since when. */
void ssh_bastion_phase(const struct tunnel_request *request, char *out, size_t size, int64_t *since_ms);

/* Closes all sessions; then ssh_transport_empty. */
void ssh_bastions_close(struct ssh_transport *t);

#endif
