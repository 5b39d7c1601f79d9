/*
 * A look at a private key file from outside: has it a passphrase? So that `validate` can say that one is needed, without
 * a key being read by more than the first words of its format.
 */
#ifndef INVENTORY_KEY_FILE_H
#define INVENTORY_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define KEY_FILE_MAX_BYTES ((size_t)64 << 10)

/* PEM says so in its armour (RFC 1421, section 4.6.1.1, RFC 5958, section 3), openssh-key-v1 names its cipher first
   (OpenSSH's PROTOCOL.key). False for whatever else it is. */
bool key_file_is_locked(const char *bytes, size_t len);

#endif
