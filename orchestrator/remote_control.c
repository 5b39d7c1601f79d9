#include "remote_control.h"

#include "engine/confirm.h"
#include "engine/engine.h"
#include "engine/ledger.h"
#include "engine/sheet.h"

#include "base/alloc.h"

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

static void add_problems(json_t *answer, const struct sheet_problems *problems)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->n; i++)
		json_array_append_new(list, json_string(problems->at[i]));
	json_object_set_new(answer, "problems", list);
	json_object_set_new(answer, "more", json_integer((json_int_t)problems->more));
}

static int append_all(struct engine *engine, const struct confirm *said, size_t n, struct sheet_word *word, struct err *err)
{
	int r = word->n ? ledger_add_now(engine_ledger(engine), word->entries, word->blobs, word->n, err) : 0;

	for (size_t i = 0; i < n && !r; i++)
		if (i == 0 || strcmp(said[i].tenant, said[i - 1].tenant) != 0)
			engine_look_again(engine, said[i].tenant);
	return r;
}

/* A worksheet: all of it, or nothing and why. */
static int confirm_all(struct engine *engine, const json_t *request, json_t *answer, struct err *err)
{
	struct ledger *ledger = engine_ledger(engine);
	struct sheet_problems problems = { 0 };
	struct sheet_word word = { 0 };
	struct confirm *said = NULL;
	size_t n = 0;
	char *summary;
	int r = sheet_from_json(request, &said, &n, err);

	if (r)
		return r;
	sheet_judge(ledger->rows, said, n, clock_wall_ms(ledger->clock), &word, &problems);
	if (problems.n) {
		add_problems(answer, &problems);
		r = err_set(err, E_INVAL, "some rows cannot be taken");
	} else {
		r = append_all(engine, said, n, &word, err);
	}
	summary = sheet_summary(&word);
	if (!r)
		json_object_set_new(answer, "text", json_string(summary));
	free(summary);
	sheet_word_release(&word);
	sheet_problems_release(&problems);
	free(said);
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
	if (cmd && strcmp(cmd, "confirm-all") == 0)
		return confirm_all(*engine, request, answer, err);
	return err_set(err, E_INVAL, "this controller does not know the command \"%s\"", cmd ? cmd : "");
}
