/*
 * Retries: which failures may pass by themselves, how often and after how long. Pure.
 *
 *   unreachable  the way to the host failed before anything was begun: tried again until the window ends, or give_up_ms
 *                after all other work; attempts do not count
 *   passing      the host answered and something failed on the way: `attempts` in all; when they are spent and
 *                something is down, it is come back for that only (task.c)
 *   final        trying again cannot help and may hurt (a refused login repeated gets the controller banned by
 *                PerSourcePenalties, sshd_config(5)): a person looks first
 */
#ifndef ENGINE_RETRY_H
#define ENGINE_RETRY_H

#include "inventory/model.h"

#include <stdbool.h>

enum retry_class { RETRY_UNREACHABLE, RETRY_PASSING, RETRY_FINAL };

/* The class of an error code (base/err.h); `connected`: the failure came after the connection was up. */
enum retry_class retry_class(int code, bool connected);

/* The delay before attempt number `attempt` (2 is the first retry): doubles from first_delay_ms up to max_delay_ms, with
   a jitter of ±25 % so that hosts behind one broken router do not come back in step. `random` is any 32 bits. */
int retry_delay_ms(const struct retry_policy *policy, int attempt, uint32_t random);

#endif
