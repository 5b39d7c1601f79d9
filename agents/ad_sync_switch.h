/*
 * The services of the Active Directory sync client, stopped and started again. The part of ad_sync_client.c that
 * changes what runs; what a service is and what is known of it stands in ad_sync_service.h.
 *
 * `sc stop` and `sc start` only send the request: it is then asked, once a second, until the service *is* what it
 * should be. A service that says that it is at it (STOP_PENDING, START_PENDING) has time for as long as its checkpoint
 * grows, and for its own wait hint, ten minutes at most (service-status-transitions.md); one that says nothing has a
 * minute. Where the inventory has `wait_s` that is the whole time for a stop, and for its process to end; what is
 * started has its usual time.
 *
 *     stop          for each that runs: sc stop, until STOPPED. The debt is `start`
 *     wait-gone     its process has ended: the config is read at the start of the process
 *     still-down    a last look before the file is written: none has started again by itself
 *     (the file is written)
 *     stayed-down   and a look behind it: what ran at that moment may have read the old file. It changes nothing; its
 *                   outcome is kept in the journal, so that a run that goes on after a crash knows that nobody runs
 *                   with the old file. Where it is missing the services are stopped and started once more
 *     start         pays a debt: sc start, until RUNNING
 *
 * Facts: wait.for "ROW ITEM", what is waited for; .since_ms, .progress, .progress_ms when that began, and the last sign
 * of progress; .sent yes: the request was taken; .next send: it is sent next.
 */
#ifndef AGENTS_AD_SYNC_SWITCH_H
#define AGENTS_AD_SYNC_SWITCH_H

#include "agents/ad_sync_service.h"

#define AD_WAIT_MAX_MS (WAIT_MAX_S * 1000)

enum step_request ad_stop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_stopped(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request ad_wait_gone(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_is_gone(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request ad_still_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request ad_stayed_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_is_down(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The same for revert[]: what is asked differs in what shows it to be due, the judges are the same. */
enum step_request ad_revert_stop(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request ad_revert_wait_gone(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request ad_revert_still_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request ad_revert_stayed_down(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);

enum step_request ad_start(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_started(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The row `services-again` of verify[]: what ran runs, as another process than before. What was found stopped and still
   is makes the step a person's. */
enum step_request ad_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict ad_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Has the roll-back been written, and is it not known whether the services were down then? */
bool ad_revert_is_open(const struct agent_ctx *ctx);

#endif
