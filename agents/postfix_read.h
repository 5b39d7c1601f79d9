/*
 * Postfix on a host as postfix-read.sh shows it: its instances, and where each looks for a relay. The part of postfix_relay.c
 * that knows what parameters mean.
 *
 * Facts:
 *   pf.none             yes: there is no Postfix
 *   pf.more             there are more instances than are looked at
 *   pf.n                instances; of each, pf.I.…
 *     .dir              its configuration folder
 *     .running          yes | no | unknown
 *     .pid              of its master
 *     .queue            mails by queue, for people
 *     .relayhost        as Postfix reads it, $name replaced
 *   file.n              files to look into; of each, file.K.…
 *     .path, .kind      kind: main | master | table | patterns
 *     .pf               its instance's number
 *     .map              TYPE:PATH where postmap has to index it after a change, else ""
 *     .asked            the parameter that names it, "" for main.cf and master.cf
 *   key.n               tables that are keyed by a relay (postfix_keys.h): key.K.path, .pf, .map, .asked, .patterns (yes)
 *   unread.n            tables that cannot be looked into from here: unread.K.text, for people
 */
#ifndef AGENTS_POSTFIX_READ_H
#define AGENTS_POSTFIX_READ_H

#include "agents/agent.h"

#define POSTFIX_FILES_MAX 48
#define POSTFIX_UNREAD_MAX 16

/* The row `read` of observe[]. */
enum step_request postfix_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict postfix_was_read(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* What the script printed, as facts. False: more than is looked at. */
bool postfix_parse(struct facts *f, const char *text, size_t len);

/* The instance's fact. */
const char *postfix_instance(const struct facts *f, int i, const char *name);

#endif
