/*
 * A remote_spec that is kept: a deep copy, with the bastions before it, and the digest by which two specs are the same
 * machine, reached the same way, as the same user, with the same trust. Labels and budgets make no difference.
 */
#ifndef TRANSPORT_SSH_SPEC_H
#define TRANSPORT_SSH_SPEC_H

#include "base/hash.h"
#include "transport/transport.h"

/* Free with ssh_spec_free, which overwrites the secrets. */
struct remote_spec *ssh_spec_copy(const struct remote_spec *spec);
void ssh_spec_free(struct remote_spec *spec);

const char *ssh_spec_digest(const struct remote_spec *spec, char out[SHA256_HEX_MAX]);

#endif
