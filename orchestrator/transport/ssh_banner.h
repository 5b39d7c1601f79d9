/*
 * The server's version line (RFC 4253 §4.2), read before libssh2 has a session: a host that accepts and then says
 * nothing, or something else, costs no session that way, and libssh2 below 1.11.2 leaks 82 KB for each session whose
 * handshake is not finished. What was read, from the version line on, is replayed to libssh2 (ssh_io.h).
 *
 * A server may send other lines first. They are skipped, up to SSH_BANNER_MAX bytes, and the last is kept: sshd says
 * there why it closes ("Exceeded MaxStartups").
 */
#ifndef TRANSPORT_SSH_BANNER_H
#define TRANSPORT_SSH_BANNER_H

#include "base/buf.h"
#include "base/err.h"

enum { SSH_BANNER_MAX = 32768, SSH_VERSION_MAX = 255 };

struct ssh_banner {
	struct buf in;                     /* what was read and not skipped */
	size_t skipped;                    /* bytes */
	char before[160];                  /* the last line that was skipped */
	char version[SSH_VERSION_MAX + 1]; /* printable, without the line's end */
};

void ssh_banner_init(struct ssh_banner *banner);
void ssh_banner_release(struct ssh_banner *banner);

/* Takes what was read into banner->in: 1 the version line is there (and banner->in begins with it), 0 more is needed,
   E_PROTOCOL: not an SSH 2 server. */
int ssh_banner_take(struct ssh_banner *banner, struct err *err);

#endif
