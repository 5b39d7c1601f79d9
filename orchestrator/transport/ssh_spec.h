/*
 * A remote_spec that is kept: a deep copy, with the bastions before it; and two digests. By one two specs are the same
 * login: the same machine, reached the same way, as the same user, with the same key and trust. By the other they are the
 * same machine: address, port and the machines before it. Labels and budgets make no difference.
 */
#ifndef TRANSPORT_SSH_SPEC_H
#define TRANSPORT_SSH_SPEC_H

#include "base/hash.h"
#include "transport/transport.h"

/* Free with ssh_spec_free, which overwrites the secrets. */
struct remote_spec *ssh_spec_copy(const struct remote_spec *spec);
void ssh_spec_free(struct remote_spec *spec);

const char *ssh_spec_digest(const struct remote_spec *spec, char out[SHA256_HEX_MAX]);
const char *ssh_spec_machine(const struct remote_spec *spec, char out[SHA256_HEX_MAX]);

#endif
