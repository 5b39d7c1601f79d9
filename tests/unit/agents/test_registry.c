#include "tests/lib/unit.h"

#include "agents/agent.h"
#include "base/embed.h"

extern const struct embedded embedded_agents[];
extern const struct embedded embedded_inventory[];

START_TEST(test_find)
{
	ck_assert_ptr_nonnull(agent_find("ruby-client"));
	ck_assert_ptr_null(agent_find("ruby"));
	ck_assert_ptr_null(agent_find(""));
	for (size_t i = 0; agents[i]; i++)
		ck_assert_ptr_eq(agent_find(agents[i]->name), agents[i]);
}
END_TEST

static bool has_row(const struct step *table, const char *name)
{
	for (; table->name; table++) {
		if (strcmp(table->name, name) == 0)
			return true;
	}
	return false;
}

static void check_table(const struct agent *a, const struct step *table, bool may_mutate)
{
	ck_assert_ptr_nonnull(table);
	for (const struct step *step = table; step->name; step++) {
		ck_assert_msg(step->request && step->judge, "%s %s", a->name, step->name);
		ck_assert_msg(may_mutate || !(step->flags & STEP_MUTATES), "%s %s", a->name, step->name);
		/* a debt comes with a change, and there is a row that pays it */
		ck_assert_msg(!step->owes || (step->flags & STEP_MUTATES), "%s %s", a->name, step->name);
		ck_assert_msg(!step->owes || has_row(a->restore, step->owes), "%s %s", a->name, step->name);
		for (const struct step *other = table; other < step; other++)
			ck_assert_str_ne(other->name, step->name);
	}
}

START_TEST(test_tables)
{
	for (size_t i = 0; agents[i]; i++) {
		const struct agent *a = agents[i];

		ck_assert_str_ne(a->summary, "");
		ck_assert_int_eq(a->scope == SCOPE_HOST, a->os != 0);
		check_table(a, a->observe, false);
		check_table(a, a->apply, true);
		check_table(a, a->restore, true);
		check_table(a, a->verify, false);
		check_table(a, a->revert, true);
		for (const struct step *step = a->restore; step->name; step++)
			ck_assert_msg(step->flags & STEP_IDEMPOTENT, "%s %s", a->name, step->name);
	}
}
END_TEST

/* The parameters that the shipped procedure allows are those that the agent reads. */
static void check_params(const struct agent *a, json_t *declared)
{
	size_t n = 0;

	for (; a->params[n]; n++)
		ck_assert_msg(json_object_get(declared, a->params[n]) != NULL, "%s: %s is not in the procedure",
			      a->name, a->params[n]);
	ck_assert_msg(json_object_size(declared) == n, "%s: the procedure allows other parameters", a->name);
}

START_TEST(test_params)
{
	const struct embedded *file = embedded_find(embedded_inventory, "hes-1-to-2.json");
	json_t *procedure, *entry;
	const char *name;
	size_t checked = 0;

	ck_assert_ptr_nonnull(file);
	procedure = json_loadb(file->data, file->len, 0, NULL);
	json_object_foreach(json_object_get(procedure, "agents"), name, entry)
	{
		const struct agent *a = agent_find(name);

		if (!a)
			continue;
		check_params(a, json_object_get(entry, "params"));
		checked++;
	}
	ck_assert_uint_ge(checked, 1);
	json_decref(procedure);
}
END_TEST

/* What `ran` names are rows of apply[]: else nobody would ever be said to have run. */
START_TEST(test_ran)
{
	int n = 0;

	for (int i = 0; agents[i]; i++) {
		for (const char *const *ran = agents[i]->ran; ran && *ran; ran++, n++) {
			const struct step *step = agents[i]->apply;

			while (step->name && strcmp(step->name, *ran) != 0)
				step++;
			ck_assert_msg(step->name != NULL, "%s: %s", agents[i]->name, *ran);
		}
	}
	ck_assert_int_ge(n, 2);
}
END_TEST

/* The first line says how it is called. */
static void check_sh(const struct embedded *script)
{
	ck_assert_msg(strncmp(script->data, "# ", 2) == 0 &&
			      strncmp(script->data + 2, script->name, strlen(script->name)) == 0,
		      "%s", script->name);
	ck_assert_msg(strstr(script->data, "LC_ALL=C\nexport LC_ALL\n") != NULL, "%s", script->name);
}

/* For cmd.exe: the second line says how it is called, `!` and extensions are as we count on, and bytes are ASCII with LF
   (the transport makes CR LF of it), since the code page of the far side is not known. */
static void check_cmd(const struct embedded *script)
{
	static const char head[] = "@echo off\nrem ";

	ck_assert_msg(strncmp(script->data, head, strlen(head)) == 0 &&
			      strncmp(script->data + strlen(head), script->name, strlen(script->name)) == 0,
		      "%s", script->name);
	ck_assert_msg(strstr(script->data, "\nsetlocal EnableExtensions DisableDelayedExpansion\n") != NULL, "%s",
		      script->name);
	for (size_t i = 0; i < script->len; i++)
		ck_assert_msg(script->data[i] == '\n' || script->data[i] == '\t' ||
				      (script->data[i] >= ' ' && script->data[i] < 0x7f), "%s: byte %zu",
			      script->name, i);
}

START_TEST(test_scripts)
{
	int sh = 0, cmd = 0;

	for (const struct embedded *script = embedded_agents; script->name; script++) {
		const char *end = strrchr(script->name, '.');

		ck_assert_ptr_eq(agent_script(script->name), script);
		ck_assert_ptr_nonnull(end);
		if (strcmp(end, ".cmd") == 0) {
			check_cmd(script);
			cmd++;
		} else {
			check_sh(script);
			sh++;
		}
	}
	ck_assert_int_ge(sh, 8);
	ck_assert_int_ge(cmd, 2);
}
END_TEST

SUITE(registry)
{
	TEST_CASE(s, test_find);
	TEST_CASE(s, test_tables);
	TEST_CASE(s, test_params);
	TEST_CASE(s, test_ran);
	TEST_CASE(s, test_scripts);
}
