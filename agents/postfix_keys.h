/*
 * Postfix's tables that are keyed by a relay: smtp_sasl_password_maps, smtp_tls_policy_maps. Behind a key may stand a password:
 * it is read, copied and written on the host by postfix-keys.sh and never comes here; facts, plans and diffs have the keys only.
 *
 * A key is the relay as it stands in relayhost: HOST, [HOST], with or without :PORT; any other key that has the old name in it
 * is a person's. Keys are replaced in two rows, so that whichever relay Postfix uses at a moment finds its entry: first each entry
 * is copied under the new key, and once main.cf is written and Postfix has read it, the old entry goes. Put back in the same way.
 *
 * Facts of each table, beside those of postfix_read.h:
 *   key.K.state     old: has an old key whose new one is not there; new: has the new one; none | missing, unreadable, odd
 *   key.K.sha256, .mode, .owner, .group, .links
 *   key.K.pairs     lines, in turns an old key and the new one
 *   key.K.places    for each pair `LINE OFFSET`, a line each
 *   key.K.keys      all keys that have one of the names, a line each
 *   key.K.after     the file's SHA-256 once the keys are replaced
 *   key.K.why       of unreadable, odd
 *   key.K.written, .indexed, .active   (postfix_daemon.h)
 */
#ifndef AGENTS_POSTFIX_KEYS_H
#define AGENTS_POSTFIX_KEYS_H

#include "agents/agent.h"

/* Rows of observe[]: what keys there are, and what the file will be. */
enum step_request postfix_keys_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_keys_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request postfix_keys_preview(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_keys_previewed(const struct agent_ctx *ctx, int n, const struct op_result *result);

bool postfix_key_was_old(const struct agent_ctx *ctx, int k);

/* Are the keys as they were before us? Only where it was old. */
bool postfix_key_is_back(const struct agent_ctx *ctx, int k);

/* False, with the assessment set: it is a person's matter. */
bool postfix_key_assess(const struct agent_ctx *ctx, int k, struct assessment *out);
void postfix_key_add_change(const struct agent_ctx *ctx, int k, struct assessment *out);

/* apply[]: the new keys beside the old ones; the old ones away. */
enum step_request postfix_keys_add(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request postfix_keys_drop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_keys_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* verify[] */
enum step_request postfix_keys_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_keys_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* revert[]: the same with the keys the other way round. */
enum step_request postfix_keys_add_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request postfix_keys_drop_new(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_keys_reverted(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
