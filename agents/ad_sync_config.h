/*
 * The sync client's PluginService.exe.config: where it is, read, its one value replaced, looked at again, put back. The
 * part of ad_sync_client.c that knows the file; the edit itself is edit/app_config.h.
 *
 * What a write puts into the file is worked out from the bytes that were read (`now`) and goes out with their SHA-256
 * as what is expected, so that it can only replace what was seen. One exception: a file that our own write was cut in
 * (the last act of a replacement on Windows is a `copy`, which is not atomic). It is known by three proofs together: a
 * change of ours has begun, the backup beside it is the file of before, byte for byte, and what is there is a beginning
 * of the one file, with nothing, zeros or the rest of the other behind it. Then it is written again from the bytes of
 * before.
 *
 * Facts:
 *   config.path           the file; config.place: one, several, unreadable (why there is no path)
 *   config.bytes          the file. May hold credentials: never for display
 *   config.sha256, .mode
 *   config.state          old | new | drift | torn | missing, empty, too-large, unreadable
 *   config.why, .line     of drift, unreadable: the sentence; of all that were read: the line of the value, 0 for none
 *   config.host, .url     the value's host as it is written; the value without userinfo and query
 *   config.encoding, .evidence   for people: how it was read
 *   config.written        yes: by us, since the last look
 *   config.backup         of the file beside it: before | other | missing (looked at only where the file is neither)
 *   verify.note           what verify saw besides
 */
#ifndef AGENTS_AD_SYNC_CONFIG_H
#define AGENTS_AD_SYNC_CONFIG_H

#include "agents/agent.h"

#define AD_CONFIG_ITEM "config"
#define AD_CONFIG_NAME "PluginService.exe.config"
#define AD_CONFIG_BACKUP_END ".before-cutover"
#define AD_CONFIG_FOLDER "C:\\Program Files (x86)\\Trend Micro\\Hosted Email Security ActiveDirectory Sync Client"

/* Sets config.path out of the inventory, of what is known of the services' programs, or the vendor's default
   where nothing is known of them. Not set where they are in several folders, or said to be where no path is named. */
void ad_config_place(const struct agent_ctx *ctx);

/* For assess, where there is no path to work with: what a person has to name. */
void ad_config_assess_place(const struct agent_ctx *ctx, struct assessment *out);

/* The rows `read` and `read-backup` of observe[]. */
enum step_request ad_config_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_config_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request ad_backup_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_backup_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* For assess: false, with the assessment set, when the file is a person's matter. */
bool ad_config_assess(const struct agent_ctx *ctx, struct assessment *out);

/* Adds the change of the host, proved; the file is old or torn. False, with the assessment set, where it cannot be. */
bool ad_config_add_change(const struct agent_ctx *ctx, struct assessment *out);

bool ad_config_is(const struct facts *f, const char *state);

/* Has a file of that mode (octal, "" where it is not known) its read-only attribute? */
bool ad_config_is_read_only(const char *mode);

enum step_request ad_config_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_config_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The row `read-again` of verify[]. */
enum step_request ad_config_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_config_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Are the bytes of before to be had, exactly? For what is to be stopped: a file that was edited since is left alone. */
bool ad_config_can_go_back(const struct agent_ctx *ctx);

/* Puts the old host back: only where that gives exactly the bytes of before. */
enum step_request ad_config_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_config_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
