/*
 * What starts the Ruby client by the clock: found, switched off, put back, looked at again. The part of ruby_client.c
 * that knows cron's tables and systemd's timers, and by ruby_task.h the tasks of Windows; see there for the whole.
 *
 * An *entry* is one line of a table, one timer, or one task. Its item, the name that the journal knows it by, is the
 * place and, for a line, the beginning of its SHA-256: `crontab:sync#3fa9c2d1e0b7`, `cron.d:imhs#…`, `/etc/crontab#…`,
 * `systemd:x.timer`, `schtasks:\NAME`. So an item stays the same when lines are put in above it, and it never names
 * another line.
 *
 * Facts, all below `schedule.`:
 *   n, entry.J.item, entry.J.state     on | off-by-us (our marker is in front) | off (a timer that is not active, a
 *                                      task that is disabled)
 *   entry.J.kind                       user | system | timer | task
 *   entry.J.name, entry.J.path         the place as in the inventory; the table's file
 *   entry.J.line, .number, .user       the line as it is when it is on; where it stood; whose job it is
 *   entry.J.enabled                    of a timer: systemd's word
 *   table.I.path, table.I.bytes        the tables that entries are in (bytes may hold secrets: never for display)
 *   drift, person                      what is wrong with the schedule, for people
 *   fresh, fresh.bytes                 while one entry is put back: the item, its table as it is now
 */
#ifndef AGENTS_RUBY_SCHEDULE_H
#define AGENTS_RUBY_SCHEDULE_H

#include "agents/agent.h"

/* The row `schedule` of observe[]. */
enum step_request schedule_look(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict schedule_seen(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Is an entry still off because of us? */
bool schedule_held(const struct agent_ctx *ctx);

/* For assess: false, with the assessment set, when the schedule stands in the way. Adds its notes. */
bool schedule_assess(const struct agent_ctx *ctx, struct assessment *out);

/* Whose jobs they are, when all entries agree; else NULL. */
const char *schedule_user(const struct facts *facts);

enum step_request schedule_off(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict schedule_is_off(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Puts each entry back that was on before: its table is read afresh, the one line is changed, and that is installed
   only if the table is still that; else from the start, as often as somebody is faster. */
enum step_request schedule_on(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict schedule_is_on(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The row `schedule-again` of verify[]: what was on is on, and no marker of ours is left. The tables are fetched as
   files, so that the evidence is their hashes and not what is in them. */
enum step_request schedule_look_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict schedule_seen_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
