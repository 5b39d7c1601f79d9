/*
 * Any agent's tables with recorded answers: what is asked of the host, and what is made of what it says. Nothing is run.
 *
 *     recorded_begin(&agent_x, "{\"path\": \"/opt/x\"}");
 *     is(answer_frames(row(agent_x.observe, "find"), 0, frames("folder", "/opt/x", NULL)), VERDICT_OK, "");
 *     assess_as(ASSESS_OLD, "names old.example");
 *     ck_assert_int_eq(ask(row(agent_x.apply, "write"), 0, &op, item), OP_DO);
 *     …
 *     op_release(&op);
 *     recorded_end();
 *
 * There is one of it, `rec`, which each test begins anew. Its tenant is "acme", whose new web service is
 * ws.acme.hes2.example and whose profile knows one old one, us.imhs-ws.trendmicro.com; the same for relays, by the names
 * below. A test changes what it likes of it between begin and end.
 */
#ifndef TESTS_UNIT_AGENTS_RECORDED_H
#define TESTS_UNIT_AGENTS_RECORDED_H

#include "tests/lib/unit.h"

#include "agents/agents.h"
#include "agents/script.h"

#define RECORDED_OLD_NAME "us.imhs-ws.trendmicro.com"
#define RECORDED_NEW_NAME "ws.acme.hes2.example"
#define RECORDED_OLD_RELAY "relay.sjc.mx.trendmicro.com"
#define RECORDED_NEW_RELAY "relay.acme.hes2.example"

struct recorded {
	const struct agent *agent;
	struct profile profile;
	struct inventory inventory;
	struct tenant tenant;
	struct host host; /* its system is the first one that the agent can serve */
	struct facts now, before;
	struct assessment assessment; /* the last one of assess_as */
	struct agent_ctx ctx;	      /* views of all of these; wall_ms is 1000000 */
	const char *done;	      /* the row of apply[] that step_done() says is done, of any item; NULL: none */
	struct op_file file;	      /* what every answer says of a file; its texts are not owned */
};

extern struct recorded rec;

/* `params` is the JSON of the inventory's entry. */
void recorded_begin(const struct agent *agent, const char *params);
void recorded_end(void);

/* The row of that name; the test fails when the table has none. */
const struct step *row(const struct step *table, const char *name);

/* What the row asks for; release the op whatever it says. */
enum step_request ask(const struct step *step, int n, struct op *op, char item[ITEM_MAX]);

/* What the row makes of an answer: of the failure (an E_…, its text "failed so") where that is not 0, else of the exit
   code and the output. */
struct verdict answer(const struct step *step, int n, int failure, int32_t code, const char *out, const char *err);

/* The same for one of our scripts that ended well; takes the text over. */
struct verdict answer_frames(const struct step *step, int n, char *text);

/* The answer of a script (agents/frames.h) out of pairs NAME, VALUE, ended by NULL; the caller frees. */
char *frames(const char *first, ...);

/* The verdict is of that kind, and the text is part of what it says. */
void is(struct verdict v, enum verdict_kind kind, const char *text);

/* Assesses what was seen; the result is in rec.assessment and in the context. */
void assess_as(enum assess_state state, const char *text);

/* The op runs that script, so, with so many arguments. */
void runs_script(const struct op *op, const char *script, bool elevated, int args);

/* The op replaces the content `from` of the file by `to`, elevated; `backup` NULL: without one. */
void replaces(const struct op *op, const char *path, const char *from, const char *to, const char *backup);

#endif
