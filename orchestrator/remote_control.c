#include "remote_control.h"

#include "engine/confirm.h"
#include "engine/engine.h"
#include "engine/ledger.h"

static int confirm(struct engine *engine, const json_t *request, json_t *answer, struct err *err)
{
	struct ledger *ledger = engine_ledger(engine);
	struct confirmation said;
	struct confirm c;
	int r = confirm_from_json(request, &c, err);

	if (!r)
		r = confirm_apply(ledger->rows, &c, clock_wall_ms(ledger->clock), &said, err);
	if (r)
		return r;
	r = ledger_add_now(ledger, said.entries, said.blobs, said.n, err);
	if (!r) {
		json_object_set_new(answer, "text", json_string(said.summary));
		engine_look_again(engine, c.tenant);
	}
	confirmation_release(&said);
	return r;
}

int remote_control(const json_t *request, json_t *answer, void *arg, struct err *err)
{
	struct engine **engine = arg;
	const char *cmd = json_string_value(json_object_get(request, "cmd"));

	if (!*engine)
		return err_set(err, E_LOCKED, "the controller is still starting: try again");
	if (cmd && strcmp(cmd, "confirm") == 0)
		return confirm(*engine, request, answer, err);
	return err_set(err, E_INVAL, "this controller does not know the command \"%s\"", cmd ? cmd : "");
}
