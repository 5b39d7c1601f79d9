/*
 * cutover rollback: puts back what was there before our first change, newest first, each looked at again. Only what we
 * changed, and only where nobody changed it since.
 */
#include "controller.h"
#include "exit.h"
#include "summary.h"
#include "terminal.h"

static void tell(struct engine *engine, const struct engine_outcome *outcome, void *arg)
{
	summary_say(engine, outcome, arg);
}

static int rollback(const struct options *o, const struct inventory *inv)
{
	struct controller_job job = { .mode = ENGINE_ROLLBACK,
				      .command = "rollback",
				      .options = o,
				      .inventory = inv,
				      .selection = &o->selection,
				      .tell = tell,
				      .arg = (void *)(uintptr_t)o };
	struct err err = { 0 };
	int code = EXIT_USAGE;

	if (!o->selection_given) {
		terminal_error("say what is to be rolled back: a TENANT, or filters such as --wave NAME or --host NAME");
		return EXIT_USAGE;
	}
	if (selection_check(&o->selection, inv, &err) != 0) {
		terminal_error("%s", err.text);
		return EXIT_USAGE;
	}
	if (!controller_may_begin(o, "Put back what was there before, at all that is selected?", &code))
		return code;
	return controller_run(&job);
}

int cmd_rollback(const struct options *o)
{
	int code = 0;
	struct inventory *inv = controller_load_stored(o, NULL, NULL, &code);

	if (inv)
		code = rollback(o, inv);
	inventory_free(inv);
	return code;
}
