/*
 * cutover run: does what may be done now of the inventory as it is now. May always be repeated: what was verified is
 * verified again, what is indeterminate is looked at first, the rest is done.
 */
#include "base/alloc.h"
#include "controller.h"
#include "exit.h"
#include "summary.h"
#include "terminal.h"

static void tell(struct engine *engine, const struct engine_outcome *outcome, void *arg)
{
	summary_say(engine, outcome, arg);
}

static char *question(const struct inventory *inv, const struct selection *s)
{
	size_t tenants = 0, hosts = 0;

	for (size_t i = 0; i < inv->tenants_n; i++) {
		if (!selection_tenant(s, &inv->tenants[i]))
			continue;
		tenants++;
		hosts += inv->tenants[i].hosts_n;
	}
	return str_fmt("Change what may be changed now at %zu tenant%s with %zu host%s?", tenants, tenants == 1 ? "" : "s",
		       hosts, hosts == 1 ? "" : "s");
}

static int run(const struct options *o, const struct inventory *inv, const struct selection *s, bool wait)
{
	struct controller_job job = { .mode = ENGINE_RUN,
				      .command = "run",
				      .options = o,
				      .inventory = inv,
				      .selection = s,
				      .wait = wait,
				      .tell = tell,
				      .arg = (void *)(uintptr_t)o };
	struct err err = { 0 };
	char *ask;
	int code = EXIT_USAGE;

	if (selection_check(s, inv, &err) != 0) {
		terminal_error("%s", err.text);
		return EXIT_USAGE;
	}
	ask = question(inv, s);
	if (controller_may_begin(o, ask, &code))
		code = controller_run(&job);
	free(ask);
	return code;
}

int cmd_run(const struct options *o)
{
	int code = 0;
	struct inventory *inv = controller_load(o->inventory, &code);

	if (inv)
		code = run(o, inv, &o->selection, o->wait);
	inventory_free(inv);
	return code;
}

/* resume: the last run's inventory and selection, from the state file alone; filters on the command line take the place of
   the selection. */
int cmd_resume(const struct options *o)
{
	int code = 0;
	struct selection stored = { 0 };
	bool wait = false;
	struct inventory *inv = controller_load_stored(o, &stored, &wait, &code);

	if (inv)
		code = run(o, inv, o->selection_given ? &o->selection : &stored, o->wait || wait);
	inventory_free(inv);
	selection_release(&stored);
	return code;
}
