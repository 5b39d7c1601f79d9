/*
 * Postfix's files whose values say where mail is sent: main.cf, master.cf, tables in text. Read, the old relay's name replaced
 * in them, looked at again, put back. The part of postfix_relay.c that knows files; where a name stands is
 * edit/postfix_names.h's.
 *
 * Facts of each file, beside those of postfix_read.h:
 *   file.K.state     old: names the old relay; new: the new one and no old one; none | missing, unreadable
 *   file.K.bytes     the file, of old and of every master.cf; a main.cf may hold a password (static:): never for display
 *   file.K.sha256, .mode, .owner, .group, .links
 *   file.K.line, .where   of the first place; where: its parameter
 *   file.K.stray     the first place that names the old relay and is not understood, for people
 *   file.K.why       of unreadable
 *   file.K.written   yes: by us, since the last look
 *   file.K.active    its SHA-256 when Postfix was last made to use it (postfix_daemon.h)
 */
#ifndef AGENTS_POSTFIX_FILE_H
#define AGENTS_POSTFIX_FILE_H

#include "agents/agent.h"
#include "agents/edit/postfix_names.h"

#define POSTFIX_FILE_MAX_BYTES ((size_t)1 << 20)
#define POSTFIX_BACKUP_END ".before-cutover"

/* The names that count, as edit/postfix_names.h wants them; views. */
struct postfix_wanted postfix_names_wanted(const struct agent_ctx *ctx);

/* The row `read-files` of observe[]. */
enum step_request postfix_file_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_file_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The number of `prefix`.K whose path that is, or -1. */
int postfix_find(const struct facts *f, const char *prefix, const char *path);

/* Is it changed by us? Did it name the old relay before our first change? */
bool postfix_file_was_old(const struct agent_ctx *ctx, int k);

/* False, with the assessment set: it is a person's matter. */
bool postfix_file_assess(const struct agent_ctx *ctx, int k, struct assessment *out);
void postfix_file_add_change(const struct agent_ctx *ctx, int k, struct assessment *out);

/* Rows of apply[]: tables first, so that nothing is sent to the new relay that the tables do not know yet. */
enum step_request postfix_write_tables(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request postfix_write_master(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request postfix_write_main(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Verify: the same names, mode and owner as they were. */
enum step_request postfix_file_read_again(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_file_was_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* Puts the bytes of before back, only over those that our change made of them; whether they are is looked at for all files
   before the first one is written. */
enum step_request postfix_check_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_old_checked(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request postfix_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_old_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

#endif
