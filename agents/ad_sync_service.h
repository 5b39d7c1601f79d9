/*
 * The services of the Active Directory sync client: found, looked at, and what of that stands in the way of a change.
 * The part of ad_sync_client.c that knows sc.exe; ad_sync_switch.c stops and starts them.
 *
 * A service's item, the name that the journal knows it by, is its key name (`sc` takes no other).
 *
 * Facts:
 *   service.n              how many were looked for: the two of the vendor by their display names, or the inventory's
 *   service.I.name         as it was looked for, for people
 *   service.I.key          its key name; "" where it is not on the host
 *   service.I.state, .pid  numbers of sc.exe (win_sc.h); the pid is the last one seen, and stays when it has stopped
 *   service.I.start        number of its start type
 *   service.I.program      the path of its program, "" where that cannot be read
 *   service.I.command      "unclear" where Windows says where it is, but not by a path; else ""
 *   service.I.dependants   key names of the services that depend on it, one a line
 *   service.I.foreign      those of them that run and are not ours, for people; not there: none
 */
#ifndef AGENTS_AD_SYNC_SERVICE_H
#define AGENTS_AD_SYNC_SERVICE_H

#include "agents/script.h"
#include "agents/win_sc.h"

#define SERVICES_MAX 8
#define WAIT_MAX_S 600 /* longer than that nothing is waited for */

/* The rows `services`, `state`, `settings` and `dependants` of observe[]. */
enum step_request services_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict services_found(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request state_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict state_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request settings_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict settings_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request dependants_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict dependants_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* For assess: false, with the assessment set, when there are not exactly the services that there should be. */
bool services_assess(const struct agent_ctx *ctx, struct assessment *out);

/* How long is waited for what stands in the way of the change: `usual_ms`, unless the inventory says it (`wait_s`). */
int64_t services_patience_ms(const struct agent_ctx *ctx, int64_t usual_ms);

/* For assess, where the file is to be written: false, with the assessment set, when they cannot be stopped and started
   without asking somebody. Adds notes: what is stopped meanwhile. */
bool services_assess_stop(const struct agent_ctx *ctx, struct assessment *out);

/* For people: how those are that do not run, "" when all do; the caller frees. */
char *services_not_running(const struct facts *f);

int services_n(const struct facts *f);
const char *service_key(const struct facts *f, int i);
const char *service_name(const struct facts *f, int i);
enum sc_state service_state(const struct facts *f, int i);
long service_pid(const struct facts *f, int i);
bool service_runs(const struct facts *f, int i); /* RUNNING, or about to */
bool service_is_disabled(const struct facts *f, int i);

/* The index of the service with that key name, or -1. */
int service_find(const struct facts *f, const char *key);

/* The index of the n-th to be stopped: what depends on another one goes first, else as they were looked for. */
int service_to_stop(const struct facts *f, int n);

/* Did it run before our first change (or does it now, where there was none yet)? */
bool service_ran(const struct agent_ctx *ctx, const char *key);

/* Makes the op `sc VERB KEY`. */
void service_op(struct op *op, const char *verb, const char *key);

/* Reads the answer of `sc queryex`; false, with *verdict set, where it is none. Sets the facts of the service, if it is
   among those of `now`. */
bool service_answered(const struct agent_ctx *ctx, const char *key, const struct op_result *result,
		      struct sc_status *status, struct verdict *verdict);

/* The class of failure of an exit code of sc.exe. */
int service_failure(long code);

#endif
