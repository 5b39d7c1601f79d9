/*
 * cutover plan: looks at every target, changes nothing, and says what would change: per tenant, with the changed lines
 * only, since the lines around may hold what nobody should read. Three answers for each target: would change, is as it
 * should be, cannot know (why).
 */
#include "base/alloc.h"
#include "base/file.h"
#include "controller.h"
#include "exit.h"
#include "plan_print.h"
#include "terminal.h"

static void tell(struct engine *engine, const struct engine_outcome *outcome, void *arg)
{
	const struct options *o = arg;
	struct buf text = BUF_INIT;
	struct err err = { 0 };

	plan_print(engine, terminal_colour(), &text);
	plan_print_summary(outcome, o->inventory, &text);
	terminal_say_text(buf_str(&text), text.len);
	buf_release(&text);
	if (o->out_dir && plan_write(engine, o->out_dir, &err) != 0)
		terminal_error("%s", err.text);
	else if (o->out_dir)
		terminal_say("plans: %s", o->out_dir);
}

static int plan(const struct options *o)
{
	int code = 0;
	struct err err = { 0 };
	struct inventory *inv = controller_load(o->inventory, &code);
	struct controller_job job = { .mode = ENGINE_PLAN,
				      .command = "plan",
				      .options = o,
				      .inventory = inv,
				      .selection = &o->selection,
				      .tell = tell,
				      .arg = (void *)(uintptr_t)o };

	if (!inv)
		return code;
	if (selection_check(&o->selection, inv, &err) != 0) {
		terminal_error("%s", err.text);
		code = EXIT_USAGE;
	} else if (o->out_dir && file_mkdirs(o->out_dir, 0700, &err) != 0) {
		terminal_error("%s", err.text);
		code = EXIT_USAGE;
	} else {
		code = controller_run(&job);
	}
	inventory_free(inv);
	return code;
}

int cmd_plan(const struct options *o)
{
	return o->learn_keys ? cmd_learn(o) : plan(o);
}
