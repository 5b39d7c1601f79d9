/*
 * The engine's own structs, shared by its files and by nobody else. Who may do what:
 *
 *   engine.c   the run as a whole: which task may start, when it is over
 *   machine.c  one connection, one task at a time
 *   task.c     one task: its states, its table pointer, its end
 *   stage.c    what follows what: observe, assess, apply, restore, verify, revert
 *   judge.c    what a result means: the agent's verdict, or a failure of the way
 *   check.c    identity check and verify commands
 *   people.c   rows that are a person's
 */
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "base/list.h"
#include "base/map.h"
#include "base/sm.h"
#include "engine/engine.h"
#include "engine/ledger.h"
#include "engine/retry.h"
#include "engine/timers.h"

struct machine;

/* A tenant in this run: its rows stand together in the roster. */
struct tenant_run {
	const struct tenant *tenant;
	struct task *tasks;
	size_t n;
	bool failed; /* nothing of it is started any more */
	char why[256];
	struct timer timer; /* when its next gate opens (--wait) */
	struct engine *engine;
	bool look;	   /* it is in the engine's list of tenants to look at */
	struct list node;
};

/*
 * A task's states:
 *
 *     IDLE ─► QUEUED ─► CONNECT ─► TABLE ◄─► JOURNAL        TABLE: between two ops
 *       ▲        ▲         │         ▲ ▲                     JOURNAL: the intent is on its way to the disk
 *       │        │         │         │ └──► OP               OP: the far side works
 *       │        └─ RETRY ◄┴─────────┼────► PAUSE            PAUSE: a poll or a retry of one op, connection kept
 *       │                            └────► COMMANDS         COMMANDS: the host's verify commands run
 *       └──────────────────────── DONE                       DONE: over for this run (IDLE again when looked at anew)
 */
enum task_state {
	TASK_IDLE,
	TASK_QUEUED,
	TASK_CONNECT,
	TASK_TABLE,
	TASK_JOURNAL,
	TASK_OP,
	TASK_PAUSE,
	TASK_COMMANDS,
	TASK_RETRY,
	TASK_DONE,
};

enum stage { STAGE_OBSERVE, STAGE_APPLY, STAGE_RESTORE, STAGE_VERIFY, STAGE_REVERT, STAGE_PROVE };

/* How a task is to end, once its debts are paid. */
struct ending {
	bool set;
	enum step_state state;
	int code;
	int64_t until_ms;
	char text[ERR_TEXT_MAX];
};

/* What a task needs while it works, and no longer: a run has a task for each row of the inventory, most of which never
   work, and this is twenty times as large as the rest. */
struct task_work {
	char item[ITEM_MAX];
	struct op op;
	struct remote_request request;
	struct assessment assessment;
	char applied[VERDICT_TEXT_MAX]; /* done, and this is not proved; "" otherwise */
	struct ending ending;
};

struct task {
	struct engine *engine;
	struct tenant_run *tenant;
	const struct roster_row *roster;
	struct row *row;
	struct machine *machine; /* NULL for rows without an agent */
	bool selected;
	bool lost; /* its host, or the service that it asks, did not answer the last time */
	struct sm sm;
	struct list node; /* in the machine's queue */
	struct timer timer;

	/* where it is */
	enum stage stage;
	const struct step *table;
	int at, n;
	size_t debt; /* RESTORE: index + 1 of the debt being paid */
	struct task_work *work;	  /* from its first connection to its end; NULL otherwise */
	struct op_result *result; /* of the op that is being judged */
	struct ledger_waiter waiter;
	bool intent_open; /* of the op that runs */
	int64_t begun_ms; /* monotonic, for the display */

	/* what it knows */
	struct facts now, before;
	bool assessed; /* work->assessment is made */
	bool was_done;	   /* verified or unchanged before this run: it is verified again */
	bool mutated;	   /* something was changed in this run, or an earlier one did not finish */
	bool indeterminate; /* an intent's outcome is not known: its row says so until it was looked at */
	bool reverting;	   /* RESTORE belongs to a revert */
	bool debt_stuck;   /* a debt could not be paid: `ending` says so */

	/* how often */
	int attempts;	 /* failures of RETRY_PASSING */
	int way_attempts; /* failures of RETRY_UNREACHABLE */
	int rereads;
	int64_t poll_since_ms;
	int step_attempts; /* verdict_retry of the row at hand */

	/* verify commands */
	struct command_run *commands;
	size_t commands_left;
};

struct machine {
	struct engine *engine;
	char *key;
	struct list queue; /* of tasks */
	struct task *current;
	struct remote *remote;
	const struct host *host; /* whom `remote` is connected to; NULL: it is the controller itself */
	const struct tenant *host_tenant;
	bool ready;	  /* remote can take requests, the identity is checked */
	bool closing;	  /* remote's close callback is awaited */
	bool has_slot;
	struct list node; /* in engine->hungry */
	struct op identity_op;
	struct remote_request identity_request;
	/* The last password that an op needed, for as long as the connection lives: looking one up may run a command. */
	char *secret;
	struct buf password;
	/* The way to the host that an op went through the last time; for as long, and for the same reason. */
	struct way *through;
	const struct host *through_host;
};

/* A host that must not be tried again in this run (refused login, wrong machine). */
struct barred {
	const struct host *host;
	struct err why;
};

struct engine {
	struct engine_config cfg;
	struct ledger ledger;
	bool broken_said; /* that it cannot be written */
	struct timers timers;
	struct roster roster;
	struct task *tasks; /* one for each roster row, in its order */
	struct tenant_run *tenants;
	size_t tenants_n;
	struct machine **machines;
	size_t machines_n;
	struct map machine_index; /* key → machine */
	struct list hungry; /* machines that want to go on */
	struct list to_look; /* tenants */
	int slots_used;
	size_t active;	     /* tasks that are neither IDLE nor DONE */
	size_t lost;	     /* of these, whose host does not answer */
	int64_t quiet_since_ms; /* since when all that is active is lost; 0: other work goes on */
	struct barred *barred;
	size_t barred_n;
	int stopping; /* 0, 1, 2: as often as engine_stop was called */
	uint32_t random;
	bool finished;
	struct timer turn; /* a zero timer: work that must not run inside a callback of somebody else */
};

/* engine.c */
void engine_turn_soon(struct engine *e);
void engine_task_ended(struct task *t);
uint32_t engine_random(struct engine *e);
const struct err *engine_barred(const struct engine *e, const struct host *host);
void engine_bar(struct engine *e, const struct host *host, const struct err *why);
void engine_fail_tenant(struct engine *e, struct tenant_run *tr, const char *why);
/* May this task begin (or go on) changing things? Fills the ending when not. */
bool engine_may_change(struct task *t, struct ending *ending);
bool engine_gives_up(const struct task *t);
/* active or lost has changed */
void engine_counted(struct engine *e);

/* evidence.c */
/* What a look (an op of verify[]) gave, into the journal. */
void evidence_look(struct task *t, const struct step *step, const struct op_result *result);
/* A verify command's result. */
void evidence_command(struct task *t, const struct verify_command *c, const struct op_result *result, bool good,
		      const char *text);

/* machine.c */
struct machine *machine_for(struct engine *e, const struct roster_row *row);
/* The password of an op that needs one. E_SIGN: it could not be had. */
int machine_unlock(struct machine *m, struct op *op, struct err *err);
/* The way to op->via, a host of the tenant, the machine's until the next call. E_SIGN: a key could not be had; or why that
   host must not be tried again. */
int machine_through(struct machine *m, const struct tenant *tenant, const struct op *op, const struct remote_spec **spec,
		    struct err *err);
void machine_free(struct machine *m);
void machine_add(struct machine *m, struct task *t);
void machine_pump(struct machine *m);
bool machine_is_quiet(const struct machine *m); /* no connection, no work */
/* The task is over or in RETRY: the machine goes on with the next. drop: the connection is no good any more. */
void machine_release(struct machine *m, struct task *t, bool drop);

/* task.c */
extern const struct sm_state task_states[];
void task_init(struct task *t, struct engine *e, struct tenant_run *tr, const struct roster_row *r, struct row *row);
void task_release(struct task *t);
void task_move(struct task *t, enum task_state to);
void task_queue(struct task *t);
void task_begin(struct task *t); /* it is its turn: the row is running */
void task_set_lost(struct task *t, bool lost);
void task_connected(struct task *t); /* the machine is ready for it */
void task_way_failed(struct task *t, const struct err *err, bool connected);
void task_next(struct task *t); /* the interpreter: on to the next op */
void task_start_op(struct task *t);
void task_pause(struct task *t, int after_ms);
void task_cancel(struct task *t);
void task_end(struct task *t, enum step_state state, int code, const char *text, int64_t until_ms);
struct agent_ctx task_ctx(struct task *t);
bool task_step_done(const struct agent_ctx *ctx, const char *step, const char *item);

/* facts.c: what rows leave behind (struct agent.exports) */
void task_leave_facts(struct task *t);
void task_neighbours(const struct agent_ctx *ctx, const char *step,
		     void (*each)(const struct neighbour *neighbour, void *arg), void *arg);

/* people.c */
/* What a person has to do for this row, into the journal; of all rows that are a person's by the inventory. */
void people_instruct(struct task *t);
void people_instruct_all(struct engine *e);
/* Confirmations that were made too early (engine/confirm.h) for the migration date as it is now: the rows are open again. */
void people_take_back(struct engine *e);

/* stage.c */
void stage_enter(struct task *t, enum stage stage);
void stage_table_over(struct task *t);
/* The task shall end so, but debts first. */
void stage_settle(struct task *t, enum step_state state, int code, const char *text, int64_t until_ms);
void stage_next_debt(struct task *t);
void stage_same_debt(struct task *t); /* the one at hand once more */
/* The debt at hand is settled, or cannot be: a person has to bring it up. Then the next. */
void stage_debt_paid(struct task *t, const char *text);
void stage_debt_stuck(struct task *t, int code, const char *text);
/* The host's verify commands are through: all good, or the sentence that says which was not. */
void stage_commands_over(struct task *t, const char *bad);
const char *stage_name(enum stage stage);

/* judge.c */
void judge_result(struct task *t);

/* check.c */
void check_identity(struct machine *m, void (*then)(struct machine *m, const struct err *err));
void check_commands(struct task *t);
void check_commands_cancel(struct task *t);

#endif
