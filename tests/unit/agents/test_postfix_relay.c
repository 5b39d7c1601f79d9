/*
 * postfix-relay's tables with recorded answers. The same against a real Postfix is tests/integration/ssh_postfix.sh.
 */
#include "tests/unit/agents/recorded.h"

#include "agents/postfix_read.h"
#include "base/alloc.h"

#define OLD_RELAY RECORDED_OLD_RELAY
#define NEW_RELAY RECORDED_NEW_RELAY
#define MAIN "/etc/postfix/main.cf"
#define MASTER "/etc/postfix/master.cf"
#define TABLE "/etc/postfix/transport"
#define SASL "/etc/postfix/sasl_passwd"

#define OLD_MAIN "# " OLD_RELAY "\nrelayhost = [" OLD_RELAY "]:587\n"
#define NEW_MAIN "# " OLD_RELAY "\nrelayhost = [" NEW_RELAY "]:587\n"
#define PLAIN_MASTER "smtp unix - - n - - smtp\n"
#define OLD_TABLE "partner.example smtp:[" OLD_RELAY "]\n"
#define NEW_TABLE "partner.example smtp:[" NEW_RELAY "]\n"

#define TABLES "transport_maps = hash:" TABLE "\nsmtp_sasl_password_maps = hash:" SASL
#define OLD_KEY "2 20 [" OLD_RELAY "]:587"
#define NEW_KEY "2 20 [" NEW_RELAY "]:587"

static const struct step *rows_of(const char *table, const char *name)
{
	const struct agent *a = rec.agent;

	if (strcmp(table, "observe") == 0)
		return row(a->observe, name);
	if (strcmp(table, "apply") == 0)
		return row(a->apply, name);
	if (strcmp(table, "restore") == 0)
		return row(a->restore, name);
	return row(strcmp(table, "verify") == 0 ? a->verify : a->revert, name);
}

static void begin(void)
{
	static char root[] = "root";

	recorded_begin(&agent_postfix_relay, "{}");
	rec.file = (struct op_file){ .mode = 0644, .owner = root, .group = root, .links = 1 };
}

/* What the script says of one instance. */
static void see_instance(const char *running, const char *relayhost, const char *tables)
{
	char *parameters = str_fmt("relayhost = %s\ndefault_transport = smtp\n%s", relayhost, tables);

	facts_release(&rec.now);
	is(answer_frames(rows_of("observe", "read"), 0,
			 frames("instance", "/etc/postfix", "running", running, "pid", "77", "queue", "deferred 3", "parameters", parameters,
				"overrides", "", NULL)),
	   VERDICT_OK, "");
	free(parameters);
}

static void see_file(const char *path, const char *bytes)
{
	for (int k = 0; k < fact_number(&rec.now, "file.n"); k++) {
		if (strcmp(fact_at(&rec.now, "file", k, "path"), path) == 0) {
			is(answer(rows_of("observe", "read-files"), k, bytes ? 0 : E_NOTFOUND, 0, bytes ? bytes : "", ""), VERDICT_OK, "");
			return;
		}
	}
	ck_abort_msg("%s is not looked into", path);
}

static void see(const char *main_cf)
{
	see_instance("yes", strstr(main_cf, "[" NEW_RELAY) ? "[" NEW_RELAY "]:587" : "[" OLD_RELAY "]:587", "");
	see_file(MAIN, main_cf);
	see_file(MASTER, PLAIN_MASTER);
}

/* With a table and with a table that is keyed; `sum` is what its content is. */
static void see_all(const char *main_cf, const char *table, const char *sum, const char *first, const char *second)
{
	see_instance("yes", strstr(main_cf, "[" NEW_RELAY) ? "[" NEW_RELAY "]:587" : "[" OLD_RELAY "]:587", TABLES);
	see_file(MAIN, main_cf);
	see_file(MASTER, PLAIN_MASTER);
	see_file(TABLE, table);
	is(answer_frames(rows_of("observe", "look-keys"), 0,
			 frames("sum", sum, "mode", "600", "owner", "root", "group", "root", "links", "1", "entry", first, second ? "entry" : NULL,
				second, NULL)),
	   VERDICT_OK, "");
	if (strcmp(fact_at(&rec.now, "key", 0, "state"), "old") == 0)
		is(answer_frames(rows_of("observe", "preview-keys"), 0, frames("sum", "after", NULL)), VERDICT_OK, "");
}

/* The row asks for nothing, for any n. */
static void asks_nothing(const struct step *step)
{
	struct op op;
	char item[ITEM_MAX];
	enum step_request r;

	for (int n = 0; (r = ask(step, n, &op, item)) != OP_END; n++) {
		ck_assert_msg(r == OP_SKIP, "%s asks for %s", step->name, item);
		op_release(&op);
	}
	op_release(&op);
}

/* The n of the first op that the row asks for; the op is the caller's. */
static int asks(const struct step *step, struct op *op, char item[ITEM_MAX])
{
	for (int n = 0;; n++) {
		enum step_request r = ask(step, n, op, item);

		ck_assert_msg(r != OP_END, "%s asks for nothing", step->name);
		if (r == OP_DO)
			return n;
		op_release(op);
	}
}

/* Does the one thing that the row asks for: an answer that it went well. */
static void does(const struct step *step, const char *wanted, char *answer_text)
{
	struct op op;
	char item[ITEM_MAX];
	int n = asks(step, &op, item);

	ck_assert_str_eq(item, wanted);
	op_release(&op);
	if (!rec.before.n)
		facts_copy(&rec.before, &rec.now); /* as the engine does with the first intent */
	is(answer_text ? answer_frames(step, n, answer_text) : answer(step, n, 0, 0, "", ""), VERDICT_OK, "");
}

/* The debt of that file is paid, as the engine finds it: by its item. */
static void pays(const char *debt, char *answer_text)
{
	const struct step *step = rows_of("restore", "activate");
	struct op op;
	char item[ITEM_MAX];
	enum step_request r;
	int n = 0;

	for (;; n++) {
		r = ask(step, n, &op, item);
		op_release(&op);
		ck_assert_msg(r != OP_END, "nothing is done for %s", debt);
		if (r == OP_DO && strcmp(item, debt) == 0)
			break;
	}
	is(answer_frames(step, n, answer_text), VERDICT_OK, "");
}

/* ---- observe, assess --------------------------------------------------------------------------------------------- */

START_TEST(test_observe_asks)
{
	struct op op;
	char item[ITEM_MAX];

	recorded_begin(&agent_postfix_relay, "{\"config_dir\": \"/etc/postfix-out\"}");
	ck_assert_int_eq(ask(rows_of("observe", "read"), 0, &op, item), OP_DO);
	runs_script(&op, "postfix-read.sh", true, 1);
	ck_assert_str_eq(op.args[0], "/etc/postfix-out");
	op_release(&op);
	asks_nothing(rows_of("observe", "read-files"));
	asks_nothing(rows_of("observe", "look-keys"));
	is(answer(rows_of("observe", "read"), 0, 0, 0, "instance 12\n/etc", ""), VERDICT_RETRY, "not whole");
	recorded_end();
}
END_TEST

START_TEST(test_parse)
{
	begin();
	see_instance("yes", "", "transport_maps = hash:/a, proxy:lmdb:/b regexp:/c mysql:/d.cf inline:{(hidden)} static:(hidden)\n"
				"smtp_sasl_password_maps = hash:/a texthash:/s\nsmtp_tls_policy_maps = ldap:tls\nfallback_transport_maps = hash:/f\nmailbox_transport_maps = hash:/m");
	ck_assert_str_eq(facts_text(&rec.now, "file.n", ""), "7");
	ck_assert_str_eq(fact_at(&rec.now, "file", 2, "map"), "hash:/a");
	ck_assert_str_eq(fact_at(&rec.now, "file", 3, "map"), "lmdb:/b");
	ck_assert_str_eq(fact_at(&rec.now, "file", 4, "kind"), "patterns");
	ck_assert_str_eq(fact_at(&rec.now, "file", 4, "map"), "");
	ck_assert_str_eq(facts_text(&rec.now, "key.n", ""), "2");
	ck_assert_str_eq(facts_text(&rec.now, "unread.n", ""), "2");
	ck_assert_str_eq(fact_at(&rec.now, "unread", 0, "text"), "transport_maps of /etc/postfix asks mysql:/d.cf");
	ck_assert_str_eq(fact_at(&rec.now, "unread", 1, "text"), "smtp_tls_policy_maps of /etc/postfix asks ldap:tls");
	recorded_end();
}
END_TEST

START_TEST(test_instances)
{
	begin();
	is(answer_frames(rows_of("observe", "read"), 0,
			 frames("instance", "/etc/postfix", "running", "yes", "parameters", "relayhost = [" NEW_RELAY "]\ntransport_maps = hash:/t",
				"instance", "/etc/postfix-2", "running", "no", "parameters", "relayhost = [" OLD_RELAY "]\ntransport_maps = hash:/t",
				"overrides", "smtp/unix/transport_maps = hash:/u", NULL)),
	   VERDICT_OK, "");
	ck_assert_str_eq(facts_text(&rec.now, "file.n", ""), "6");
	ck_assert_str_eq(fact_at(&rec.now, "file", 5, "path"), "/u");
	see_file("/etc/postfix/main.cf", NEW_MAIN);
	see_file("/etc/postfix/master.cf", PLAIN_MASTER);
	see_file("/etc/postfix-2/main.cf", OLD_MAIN);
	see_file("/etc/postfix-2/master.cf", PLAIN_MASTER);
	see_file("/t", "");
	see_file("/u", "");
	assess_as(ASSESS_OLD, "/etc/postfix-2/main.cf line 2 names the old relay");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	recorded_end();
}
END_TEST

START_TEST(test_assess)
{
	begin();
	is(answer_frames(rows_of("observe", "read"), 0, frames("none", "", NULL)), VERDICT_OK, "");
	assess_as(ASSESS_DRIFT, "there is no Postfix");
	facts_release(&rec.now);
	is(answer_frames(rows_of("observe", "read"), 0, frames("instance", "/e", "more", "/x", NULL)), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "more instances");
	see(OLD_MAIN);
	assess_as(ASSESS_OLD, MAIN " line 2 names the old relay");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	ck_assert_str_eq(rec.assessment.changes[0].new_line, "relayhost = [" NEW_RELAY "]:587");
	see(NEW_MAIN);
	assess_as(ASSESS_NEW, MAIN " line 2 names " NEW_RELAY);
	ck_assert_uint_eq(rec.assessment.changes_n, 0);
	recorded_end();
}
END_TEST

START_TEST(test_assess_drift)
{
	begin();
	see_instance("yes", "[relay.other.example]", "");
	see_file(MAIN, "relayhost = [relay.other.example]\n");
	see_file(MASTER, PLAIN_MASTER);
	assess_as(ASSESS_DRIFT, "names neither the vendor's old relay nor the new one (" NEW_RELAY ") anywhere; relayhost of /etc/postfix is "
				"[relay.other.example]");
	/* a later line overrules the one that names it */
	see_file(MAIN, "relayhost = [" OLD_RELAY "]\nrelayhost = [relay.other.example]\n");
	assess_as(ASSESS_DRIFT, "line 1 names a relay, but Postfix reads relayhost as [relay.other.example]");
	see_instance("yes", "", "");
	see_file(MAIN, "relayhost =\n");
	see_file(MASTER, PLAIN_MASTER);
	assess_as(ASSESS_DRIFT, "delivers by itself");
	see_file(MAIN, NULL);
	assess_as(ASSESS_DRIFT, "is not there");
	recorded_end();
}
END_TEST

START_TEST(test_assess_person)
{
	begin();
	see(OLD_MAIN "mynetworks = " OLD_RELAY "\n");
	assess_as(ASSESS_PERSON, "line 3 (mynetworks) names the old relay in a way that is not changed from here");
	see(OLD_MAIN);
	see_file(MASTER, "x unix - n n - - pipe\n  argv=/x " OLD_RELAY "\n");
	assess_as(ASSESS_PERSON, MASTER " line 2 names the old relay");
	see(OLD_MAIN);
	rec.file.links = 2;
	see_file(MAIN, OLD_MAIN);
	assess_as(ASSESS_PERSON, "hard links");
	rec.file.links = 1;
	/* put together out of parts: Postfix has it, the file has not */
	see_instance("yes", "[" OLD_RELAY "]", "");
	see_file(MAIN, "a = relay.sjc\nrelayhost = [$a.mx.trendmicro.com]\n");
	see_file(MASTER, PLAIN_MASTER);
	assess_as(ASSESS_PERSON, "in no place that is changed from here");
	see_all(OLD_MAIN, OLD_TABLE, "s1", OLD_KEY, NULL);
	see_file(TABLE, NULL);
	assess_as(ASSESS_PERSON, TABLE " is not there, but transport_maps asks it");
	recorded_end();
}
END_TEST

START_TEST(test_keys)
{
	begin();
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, "7 90 user@" OLD_RELAY);
	assess_as(ASSESS_OLD, "and so do 1 more files");
	ck_assert_uint_eq(rec.assessment.changes_n, 2);
	ck_assert_str_eq(rec.assessment.changes[1].old_line, "[" OLD_RELAY "]:587 (what is behind the key is not shown)");
	ck_assert_str_eq(rec.assessment.changes[1].before_sha256, "s1");
	ck_assert_str_eq(rec.assessment.changes[1].after_sha256, "after");
	ck_assert_int_eq(rec.assessment.changes[1].line, 2);
	ck_assert_uint_eq(rec.assessment.changes[1].edits[0].offset, 20);
	/* both are there already: nothing is to do */
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NEW_KEY);
	assess_as(ASSESS_OLD, MAIN " line 2");
	ck_assert_uint_eq(rec.assessment.changes_n, 1);
	see_all(OLD_MAIN, NEW_TABLE, "s1", "1 0 /^\\[relay\\.sjc\\.mx\\.trendmicro\\.com\\]/", NULL);
	assess_as(ASSESS_PERSON, "line 1 has the old relay in a key that is more than a name");
	is(answer(rows_of("observe", "look-keys"), 0, 0, SCRIPT_MISSING, "", "not there\n"), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, SASL " is not there, but smtp_sasl_password_maps asks it");
	is(answer(rows_of("observe", "look-keys"), 0, 0, SCRIPT_FAILED, "", "cannot be read\n"), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "cannot be looked into (cannot be read)");
	recorded_end();
}
END_TEST

/* The admin's key in other letters is the same key for postmap: ours before it would override it. */
START_TEST(test_key_in_other_letters)
{
	char *upper = str_dup("3 60 [" NEW_RELAY "]:587");

	begin();
	for (char *at = upper; *at; at++)
		*at = (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
	see_all(NEW_MAIN, NEW_TABLE, "s1", OLD_KEY, upper);
	ck_assert_str_ne(fact_at(&rec.now, "key", 0, "state"), "old");
	ck_assert_str_eq(fact_at(&rec.now, "key", 0, "pairs"), "");
	free(upper);
	recorded_end();
}
END_TEST

/* A host that says more than any has. */
START_TEST(test_floods)
{
	struct buf parameters = BUF_INIT, answer_text = BUF_INIT;

	begin();
	for (int i = 0; i < 3000; i++)
		buf_addf(&parameters, "%shash:/t%d", i ? " " : "transport_maps = ", i);
	is(answer_frames(rows_of("observe", "read"), 0, frames("instance", "/e", "parameters", buf_str(&parameters), NULL)), VERDICT_OK, "");
	ck_assert_int_le(fact_number(&rec.now, "file.n"), POSTFIX_FILES_MAX);
	assess_as(ASSESS_PERSON, "more instances or tables than are looked into");
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NULL);
	for (int i = 0; i < 5000; i++)
		buf_addf(&answer_text, "entry %zu\n1 2 [" OLD_RELAY "]:%d\n", strlen("1 2 [" OLD_RELAY "]:1000"), 1000 + i);
	buf_adds(&answer_text, "end 0\n\n");
	is(answer(rows_of("observe", "look-keys"), 0, 0, 0, buf_str(&answer_text), ""), VERDICT_OK, "");
	assess_as(ASSESS_PERSON, "more keys with the relays' names");
	buf_release(&parameters);
	buf_release(&answer_text);
	recorded_end();
}
END_TEST

/* ---- apply ------------------------------------------------------------------------------------------------------- */

START_TEST(test_apply_in_order)
{
	struct op op;
	char item[ITEM_MAX];

	begin();
	see_all(OLD_MAIN, OLD_TABLE, "s1", OLD_KEY, NULL);
	assess_as(ASSESS_OLD, MAIN);
	asks(rows_of("apply", "add-keys"), &op, item);
	runs_script(&op, "postfix-keys.sh", true, 5);
	ck_assert_str_eq(op.args[0], "add");
	ck_assert_str_eq(op.args[1], SASL);
	ck_assert_str_eq(op.args[2], "s1");
	ck_assert_str_eq(op.args[3], "after");
	ck_assert_str_eq(op.args[4], "[" OLD_RELAY "]:587\n[" NEW_RELAY "]:587");
	op_release(&op);
	does(rows_of("apply", "add-keys"), SASL, frames("sum", "both", NULL));
	asks_nothing(rows_of("apply", "add-keys"));
	asks(rows_of("apply", "write-tables"), &op, item);
	replaces(&op, TABLE, OLD_TABLE, NEW_TABLE, "transport.before-cutover");
	op_release(&op);
	does(rows_of("apply", "write-tables"), TABLE, NULL);
	asks(rows_of("apply", "index"), &op, item);
	runs_script(&op, "postfix-activate.sh", true, 4);
	ck_assert_str_eq(op.args[1], "hash:" TABLE);
	ck_assert_str_eq(op.args[2], "no");
	op_release(&op);
	does(rows_of("apply", "index"), TABLE, frames("index", "yes", NULL));
	does(rows_of("apply", "index"), SASL, frames("index", "yes", NULL));
	asks_nothing(rows_of("apply", "index"));
	asks_nothing(rows_of("apply", "write-master"));
	asks(rows_of("apply", "write-main"), &op, item);
	replaces(&op, MAIN, OLD_MAIN, NEW_MAIN, "main.cf.before-cutover");
	op_release(&op);
	does(rows_of("apply", "write-main"), MAIN, NULL);
	asks(rows_of("apply", "reload"), &op, item);
	ck_assert_str_eq(op.args[0], "/etc/postfix");
	ck_assert_str_eq(op.args[1], "");
	ck_assert_str_eq(op.args[2], "yes");
	ck_assert_str_eq(op.args[3], "yes");
	op_release(&op);
	does(rows_of("apply", "reload"), "/etc/postfix", frames("reload", "yes", NULL));
	asks_nothing(rows_of("apply", "reload"));
	asks(rows_of("apply", "drop-keys"), &op, item);
	ck_assert_str_eq(op.args[0], "drop");
	ck_assert_str_eq(op.args[2], "both");
	ck_assert_str_eq(op.args[3], "after");
	op_release(&op);
	does(rows_of("apply", "drop-keys"), SASL, frames("sum", "after", NULL));
	/* of all debts the last index is left */
	does(rows_of("restore", "activate"), SASL, frames("index", "yes", NULL));
	asks_nothing(rows_of("restore", "activate"));
	recorded_end();
}
END_TEST

/* It died behind the write of main.cf: the value is new, and Postfix has not read it. */
START_TEST(test_reload_after_a_crash)
{
	struct op op;
	char item[ITEM_MAX];

	begin();
	see(OLD_MAIN);
	facts_copy(&rec.before, &rec.now);
	see(NEW_MAIN);
	assess_as(ASSESS_NEW, "");
	asks_nothing(rows_of("apply", "write-main"));
	asks(rows_of("apply", "reload"), &op, item);
	ck_assert_str_eq(op.args[2], "yes");
	op_release(&op);
	pays(MAIN, frames("reload", "yes", NULL));
	asks_nothing(rows_of("apply", "reload"));
	recorded_end();
}
END_TEST

/* The look of after the cut failed, wholly or in part: the debt is paid by what was seen before, not taken for paid. */
START_TEST(test_debt_without_a_look)
{
	begin();
	see(OLD_MAIN);
	facts_copy(&rec.before, &rec.now);
	facts_release(&rec.now);
	pays(MAIN, frames("reload", "yes", NULL));
	see_instance("yes", "[" NEW_RELAY "]:587", "");
	pays(MAIN, frames("reload", "yes", NULL));
	recorded_end();
}
END_TEST

/* It died between the two rows of keys: both are there. */
START_TEST(test_keys_after_a_crash)
{
	begin();
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NULL);
	facts_copy(&rec.before, &rec.now);
	see_all(NEW_MAIN, NEW_TABLE, "both", OLD_KEY, NEW_KEY);
	assess_as(ASSESS_NEW, "");
	asks_nothing(rows_of("apply", "add-keys"));
	does(rows_of("apply", "drop-keys"), SASL, frames("sum", "after", NULL));
	recorded_end();
}
END_TEST

START_TEST(test_what_fails)
{
	begin();
	see_all(OLD_MAIN, OLD_TABLE, "s1", OLD_KEY, NULL);
	assess_as(ASSESS_OLD, "");
	facts_copy(&rec.before, &rec.now);
	is(answer(rows_of("apply", "add-keys"), 0, 0, SCRIPT_CHANGED, "", "x\n"), VERDICT_REREAD, "was edited meanwhile");
	is(answer(rows_of("apply", "add-keys"), 0, 0, SCRIPT_FAILED, "", "no space\n"), VERDICT_FAIL, "no space");
	is(answer(rows_of("apply", "write-main"), 1, E_CHANGED, 0, "", ""), VERDICT_REREAD, MAIN " was edited meanwhile");
	is(answer(rows_of("apply", "write-main"), 1, E_NOSPACE, 0, "", ""), VERDICT_FAIL, "failed so");
	is(answer(rows_of("apply", "index"), 2, 0, SCRIPT_FAILED, "", "postmap: fatal\n"), VERDICT_FAIL, "postmap: fatal");
	is(answer(rows_of("apply", "reload"), 0, 0, SCRIPT_FAILED, "", "fatal: x\n"), VERDICT_FAIL, "does not use the changed files yet: fatal: x");
	is(answer_frames(rows_of("apply", "reload"), 0, frames("reload", "old", NULL)), VERDICT_RETRY, "still the process of before");
	is(answer_frames(rows_of("apply", "reload"), 0, frames("reload", "stopped", NULL)), VERDICT_UNCHANGED, "does not run and was not started");
	is(answer(rows_of("apply", "reload"), 0, 0, 0, "", ""), VERDICT_RETRY, "not whole");
	recorded_end();
}
END_TEST

/* ---- verify ------------------------------------------------------------------------------------------------------ */

static struct verdict look_again(const char *running, const char *relayhost)
{
	char *parameters = str_fmt("relayhost = %s", relayhost);
	struct verdict v = answer_frames(rows_of("verify", "look-again"), 0,
					 frames("instance", "/etc/postfix", "running", running, "queue", "deferred 0", "parameters", parameters, NULL));

	free(parameters);
	return v;
}

START_TEST(test_verify)
{
	begin();
	see(OLD_MAIN);
	facts_copy(&rec.before, &rec.now);
	see(NEW_MAIN);
	is(answer(rows_of("verify", "read-files-again"), 1, 0, 0, NEW_MAIN, ""), VERDICT_OK, "");
	is(answer(rows_of("verify", "read-files-again"), 1, 0, 0, OLD_MAIN, ""), VERDICT_FAIL, "names the old relay again");
	is(answer(rows_of("verify", "read-files-again"), 1, 0, 0, "relayhost =\n", ""), VERDICT_FAIL, "does not name " NEW_RELAY " any more");
	rec.file.mode = 0600;
	is(answer(rows_of("verify", "read-files-again"), 1, 0, 0, NEW_MAIN, ""), VERDICT_FAIL, "another mode than before: 0600, was 0644");
	is(look_again("yes", "[" NEW_RELAY "]:587"), VERDICT_OK, "");
	ck_assert_str_eq(fact_at(&rec.now, "again", 0, "queue"), "deferred 0");
	ck_assert_str_eq(fact_at(&rec.now, "pf", 0, "queue"), "deferred 3");
	is(look_again("yes", "[" OLD_RELAY "]:587"), VERDICT_FAIL, "still");
	is(look_again("no", "[" NEW_RELAY "]:587"), VERDICT_PERSON, "which ran before, does not run");
	recorded_end();
}
END_TEST

START_TEST(test_verify_of_a_person)
{
	begin();
	see_instance("no", "[" NEW_RELAY "]", "transport_maps = mysql:/etc/postfix/t.cf");
	is(look_again("no", "[" NEW_RELAY "]"), VERDICT_PERSON, "did not before and was not started");
	is(look_again("yes", "[" NEW_RELAY "]"), VERDICT_PERSON,
	   "transport_maps of /etc/postfix asks mysql:/etc/postfix/t.cf, which cannot be looked into from here: see whether it names " OLD_RELAY);
	recorded_end();
}
END_TEST

/* ---- revert ------------------------------------------------------------------------------------------------------ */

START_TEST(test_revert)
{
	struct op op;
	char item[ITEM_MAX];
	int n;

	begin();
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NULL);
	facts_copy(&rec.before, &rec.now);
	see_all(NEW_MAIN, NEW_TABLE, "after", NEW_KEY, NULL);
	assess_as(ASSESS_NEW, "");
	n = asks(rows_of("revert", "revert-check"), &op, item);
	op_release(&op);
	is(answer(rows_of("revert", "revert-check"), n, 0, 0, NEW_MAIN, ""), VERDICT_OK, "");
	asks(rows_of("revert", "revert-add-keys"), &op, item);
	ck_assert_str_eq(op.args[0], "add");
	ck_assert_str_eq(op.args[3], "s1");
	ck_assert_str_eq(op.args[4], "[" NEW_RELAY "]:587\n[" OLD_RELAY "]:587");
	op_release(&op);
	is(answer(rows_of("revert", "revert-add-keys"), 0, 0, SCRIPT_CHANGED, "", ""), VERDICT_DRIFT, "was edited since we changed it");
	does(rows_of("revert", "revert-add-keys"), SASL, frames("sum", "both", NULL));
	does(rows_of("revert", "revert-index-keys"), SASL, frames("index", "yes", NULL));
	asks(rows_of("revert", "revert-files"), &op, item);
	replaces(&op, MAIN, NEW_MAIN, OLD_MAIN, NULL);
	op_release(&op);
	does(rows_of("revert", "revert-files"), MAIN, NULL);
	does(rows_of("revert", "revert-reload"), "/etc/postfix", frames("reload", "yes", NULL));
	does(rows_of("revert", "revert-drop-keys"), SASL, frames("sum", "s1", NULL));
	pays(SASL, frames("index", "yes", NULL));
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NULL);
	assess_as(ASSESS_OLD, "");
	recorded_end();
}
END_TEST

START_TEST(test_revert_refuses)
{
	begin();
	see(OLD_MAIN);
	facts_copy(&rec.before, &rec.now);
	see(NEW_MAIN "# mine\n");
	assess_as(ASSESS_NEW, "");
	is(answer(rows_of("revert", "revert-check"), 1, 0, 0, NEW_MAIN "# mine\n", ""), VERDICT_DRIFT, "was edited since we changed it");
	is(answer(rows_of("revert", "revert-files"), 1, 0, 0, NEW_MAIN "# mine\n", ""), VERDICT_DRIFT, "main.cf.before-cutover");
	see(OLD_MAIN);
	asks_nothing(rows_of("revert", "revert-files"));
	recorded_end();
}
END_TEST

/* Some of it is changed: a roll-back goes on from there. */
START_TEST(test_partial)
{
	begin();
	see_all(OLD_MAIN, OLD_TABLE, "s1", OLD_KEY, NULL);
	facts_copy(&rec.before, &rec.now);
	see_all(OLD_MAIN, OLD_TABLE, "both", OLD_KEY, NEW_KEY);
	assess_as(ASSESS_PARTIAL, "other places name " NEW_RELAY " by us");
	see_all(OLD_MAIN, NEW_TABLE, "s1", OLD_KEY, NULL);
	assess_as(ASSESS_PARTIAL, "");
	recorded_end();
}
END_TEST

SUITE(postfix_relay)
{
	TEST_CASE(s, test_observe_asks);
	TEST_CASE(s, test_parse);
	TEST_CASE(s, test_instances);
	TEST_CASE(s, test_assess);
	TEST_CASE(s, test_assess_drift);
	TEST_CASE(s, test_assess_person);
	TEST_CASE(s, test_keys);
	TEST_CASE(s, test_key_in_other_letters);
	TEST_CASE(s, test_floods);
	TEST_CASE(s, test_apply_in_order);
	TEST_CASE(s, test_reload_after_a_crash);
	TEST_CASE(s, test_debt_without_a_look);
	TEST_CASE(s, test_keys_after_a_crash);
	TEST_CASE(s, test_what_fails);
	TEST_CASE(s, test_verify);
	TEST_CASE(s, test_verify_of_a_person);
	TEST_CASE(s, test_revert);
	TEST_CASE(s, test_revert_refuses);
	TEST_CASE(s, test_partial);
}
