/*
 * The parts of packet_filter.c, and what they tell each other: what filters (packet_filter_look.c) and what that means
 * (packet_filter_gaps.c), our rules in the running filter (packet_filter_rules.c), and in the file that is loaded at a boot
 * (packet_filter_file.c).
 *
 * Facts, for each WHEN (now, boot) and WAY (in, out):
 *   WHEN.WAY.kind      covered | partial | missing | unknown
 *   WHEN.WAY.missing   the ranges that are dropped, or may be
 *   WHEN.WAY.why       of unknown: the first rule that is not understood
 *   now.WAY.fix        commands that let in what is missing, for a person
 *   WHEN.gaps          of the ways that the inventory asks for: what a rule of ours would let in (agents/firewall/gap.h)
 *   WHEN.unfit         why such rules are not enough, or not ours to make; not set: they are
 *   marks              the rules that bear our mark now, as gaps whose BEFORE is their handle or number
 *   marks.odd          how many more bear it, and are nothing that we write
 *   near, interface    the addresses of this side; the interface to the far one
 *   keeper             firewalld, ufw: who keeps the rules
 * and for each FILE (nft, iptables) that is loaded at a boot:
 *   FILE.path, FILE.bytes, FILE.sha256, FILE.links (0: it is not there), FILE.why (it
 *   cannot be read)
 */
#ifndef AGENTS_PACKET_FILTER_H
#define AGENTS_PACKET_FILTER_H

#include "agents/agent.h"
#include "agents/firewall/coverage.h"

#define FILTER_READ_MAX_MS 60000

enum filter_when { FILTER_NOW, FILTER_BOOT };

extern const char *const filter_when_names[];
extern const char *const filter_way_names[]; /* by enum coverage_way */

/* Does the inventory ask for this way? */
bool filter_asks(const struct agent_ctx *ctx, enum coverage_way way);
/* The fact WHEN.WAY.NAME, "" where there is none. */
const char *filter_fact(const struct agent_ctx *ctx, enum filter_when when, enum coverage_way way, const char *name);

/* The row `read-filters` of observe[]; of verify[], where each way that is asked for has to be covered. */
enum step_request filters_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict filters_were_read(const struct agent_ctx *ctx, int n, const struct op_result *result);
struct verdict filters_were_read_again(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* What is said of one way at one moment, as facts (packet_filter_gaps.c). */
void filter_keep(const struct agent_ctx *ctx, enum filter_when when, const struct coverage_question *q, const struct coverage *c);

/* The rules that bear our mark. */
struct filter_marks {
	struct buf lines; /* gaps: those that a rule of ours can be */
	size_t known, all;
	bool forwards; /* a program keeps chains here, as those for containers do */
};

/* The filter was read for the first packet of a way (`in` or not); `family` is that of iptables. Both ways have to be looked through. */
void filter_marks_find(struct filter_marks *m, const struct filter *f, const char *family, bool in);
void filter_marks_keep(const struct agent_ctx *ctx, const struct filter_marks *m);

/* What a file of nftables would come to, which nft printed as `text`: false, with the reason, where a way that is asked for is
   not covered by it. */
bool filters_tried(const struct agent_ctx *ctx, const char *text, size_t len, struct err *err);

/* ---- our rules in the running filter: apply[], revert[] --------------------------------------------------------------- */

enum step_request rules_add(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
enum step_request rules_remove(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict rules_added(const struct agent_ctx *ctx, int n, const struct op_result *result);
struct verdict rules_removed(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* What is to be sent for the tools nft, iptables and legacy (n = 0, 1, 2), "" for nothing, and their names. */
#define RULES_TOOLS 3
extern const char *const rules_tools[RULES_TOOLS];
void rules_text(const struct agent_ctx *ctx, int n, struct buf *out);

/* Are there rules of ours that were not there before us? */
bool rules_are_ours(const struct agent_ctx *ctx);

/* ---- our rules in the files ------------------------------------------------------------------------------------------- */

#define FILTER_FILES 2
extern const char *const filter_files[FILTER_FILES]; /* nft, iptables */

enum step_request files_read(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict files_were_read(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request files_try(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict files_were_tried(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request files_write(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict files_were_written(const struct agent_ctx *ctx, int n, const struct op_result *result);
enum step_request files_write_old(const struct agent_ctx *ctx, int n, struct op *op, char item[ITEM_MAX]);
struct verdict old_files_were_written(const struct agent_ctx *ctx, int n, const struct op_result *result);

/* The file as it would be with our rules: E_INVAL, with the reason, where it cannot be made so. 1: it needs none. */
int files_new_bytes(const struct agent_ctx *ctx, int n, struct buf *out, struct err *err);
/* A fact of the file. */
const struct fact *files_fact(const struct facts *facts, int n, const char *name);
/* Is it another one than before our first change, with something of ours in it? */
bool files_differ(const struct agent_ctx *ctx);

#endif
