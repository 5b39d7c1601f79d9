#include "tests/unit/inventory/fixture.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <time.h>

static void time_is(int64_t ms, const char *wanted)
{
	char text[TIME_TEXT_MAX];

	ck_assert_str_eq(time_format(ms, 540, text), wanted);
}

static void check_acme(const struct tenant *t)
{
	const struct host *dc1 = &t->hosts[0], *sync1 = &t->hosts[1], *mx1 = &t->hosts[2];

	ck_assert_str_eq(t->name, "ACME株式会社");
	ck_assert_str_eq(t->wave, "pilot");
	ck_assert(t->japanese && t->domains_given && t->hosts_given && t->has_web_service);
	ck_assert_int_eq(t->offset_min, 540);
	ck_assert_uint_eq(t->contacts_n, 2);
	ck_assert_str_eq(t->contacts[1].role, "approver");
	time_is(t->migration_ms, "2026-12-01T00:00:00+09:00");
	time_is(t->vendor_period.end_ms, "2026-12-22T00:00:00+09:00");
	time_is(t->windows[0].start_ms, "2026-12-01T22:00:00+09:00");
	ck_assert_int_eq(t->restricted_firewall, TRI_TRUE);
	ck_assert_uint_eq(t->require_approval, 1u << PHASE_SWITCH);
	ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(t->rest, "retain"), "output")), 365);
	ck_assert_str_eq(json_string_value(json_object_get(t->web_service, "api_key")), "env:ACME_WS_KEY");
	ck_assert_int_eq(dc1->os, OS_WINDOWS);
	ck_assert_int_eq(dc1->connection.become, BECOME_NONE);
	ck_assert_str_eq(dc1->identity_check.equals, "ACME-DC1");
	ck_assert_str_eq(dc1->connection.identity.text, "credential:acme.key");
	ck_assert_uint_eq(dc1->connection.via_n, 1);
	ck_assert_str_eq(sync1->connection.known_hosts, SOURCE_DIR "/inventory/examples/full/known_hosts");
	ck_assert_int_eq(sync1->connection.become, BECOME_SUDO);
	ck_assert_int_eq(sync1->verify[0].timeout_ms, 20000);
	ck_assert_int_eq(sync1->verify[0].exit, 0);
	ck_assert_str_eq(json_string_value(json_object_get(sync1->agents[0].params, "schedule")), "crontab:sync");
	ck_assert_str_eq(sync1->agents[0].key, "ruby-client");
	ck_assert_str_eq(mx1->mta_log, "/var/log/mail.log");
	ck_assert(!mx1->gateway);
}

START_TEST(test_example)
{
	struct problems problems = { 0 };
	struct inventory *inv;
	const struct tenant *basil, *cress;

	ck_assert_int_eq(inventory_load(SOURCE_DIR "/inventory/examples/full.json", &file_source_disk, &inv, &problems,
					NULL),
			 0);
	ck_assert_uint_eq(inv->tenants_n, 3);
	ck_assert_uint_eq(inv->files_n, 2);
	ck_assert_ptr_null(inventory_tenant(inv, "nobody"));
	check_acme(inventory_tenant(inv, "acme"));
	basil = inventory_tenant(inv, "basil");
	ck_assert_str_eq(basil->name, "basil");
	ck_assert_str_eq(basil->new_mx, "basil.hes2.example");
	ck_assert_uint_eq(basil->windows_n, 2);
	ck_assert_int_eq(tenant_who(basil, procedure_step(inv->procedure, "mx")), WHO_CUSTOMER);
	ck_assert_uint_eq(basil->hosts[0].connection.via_n, 2);
	ck_assert_str_eq(basil->hosts[0].connection.via[0]->name, "tokyo-1");
	ck_assert_str_eq(basil->hosts[0].connection.via[1]->name, "osaka-1");
	ck_assert_str_eq(basil->hosts[0].agents[0].decl->name, "ad-sync-client");
	ck_assert_int_eq(basil->retry.attempts, 4);
	ck_assert_int_eq(basil->retry.give_up_ms, 900000);
	cress = inventory_tenant(inv, "cress");
	ck_assert_int_eq(cress->restricted_firewall, TRI_UNKNOWN);
	ck_assert(cress->hosts_given && cress->hosts_n == 0);
	ck_assert_str_eq(cress->file, SOURCE_DIR "/inventory/examples/full/tenants/cress.json");
	inventory_free(inv);
}
END_TEST

/* 00:00 in the zone, else in the offset of the first window, whatever the order of the windows. */
START_TEST(test_migration_date)
{
	static const struct {
		const char *keys, *wanted;
	} rows[] = {
		{ ", 'time_zone': 'Europe/Berlin'", "2026-12-05T08:00:00+09:00" },
		{ ", 'time_zone': 'UTC'", "2026-12-05T09:00:00+09:00" },
		{ "", "2026-12-05T00:00:00+09:00" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = around("", rows[i].keys);
		struct inventory *inv = load_good(text);
		time_is(inv->tenants[0].migration_ms, rows[i].wanted);
		inventory_free(inv);
		free(text);
	}
}
END_TEST

START_TEST(test_windows_are_sorted)
{
	struct inventory *inv =
		load_good("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'tenants': [ { 'id':"
			  " 'acme', 'migration_date': '2026-12-01', 'new_fqdn': 'a.example', 'windows': ["
			  " { 'start': '2026-12-20T22:00:00Z', 'end': '2026-12-21T05:00:00Z' },"
			  " { 'start': '2026-12-08T22:00:00-03:00', 'end': '2026-12-09T05:00:00-03:00' },"
			  " { 'start': '2026-12-10T22:00:00+01:00', 'end': '2026-12-11T05:00:00+01:00' } ] } ] }");
	const struct tenant *t = &inv->tenants[0];

	ck_assert_uint_eq(t->windows_n, 3);
	for (size_t i = 1; i < 3; i++)
		ck_assert_int_lt(t->windows[i - 1].start_ms, t->windows[i].start_ms);
	ck_assert_int_eq(t->offset_min, -180);
	ck_assert(!t->hosts_given && !t->domains_given);
	inventory_free(inv);
}
END_TEST

/* Paths start at the file that they stand in: a default's at the inventory, a tenant's at its own file. */
START_TEST(test_relative_paths)
{
	char *f = folder_new(), *path = folder_path(f, "inv.json"), *wanted;
	struct problems problems = { 0 };
	struct inventory *inv;
	const struct tenant *t;
	char *said;

	folder_write(f, "inv.json", 0644,
		     "{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'include': ['t/*.json'], "
		     "'defaults': {"
		     " 'user': 'u', 'identity': 'file:keys/{tenant}.{host}', 'known_hosts': 'kh', 'windows': [ { "
		     "'start':"
		     " '2026-12-08T22:00:00Z', 'end': '2026-12-09T05:00:00Z' } ] } }");
	folder_write(
		f, "t/a.json", 0644,
		"{ 'id': 'a', 'migration_date': '2026-12-01', 'new_fqdn': 'a.example', 'web_service': { 'account': 'x',"
		" 'api_key': 'file:ws.{tenant}' }, 'domains': [ { 'name': 'a.example', 'imap': { 'url': 'imaps://a', "
		"'user':"
		" 'u', 'password': 'file:../pw' } } ], 'hosts': [ { 'name': 'h', 'address': 'h', 'agents': [ { 'agent':"
		" 'ruby-client' } ] } ] }");
	folder_write(f, "keys/a.h", 0600, "x");
	folder_write(f, "t/ws.a", 0600, "x");
	folder_write(f, "pw", 0600, "x");
	folder_write(f, "kh", 0644, "");
	inventory_load(path, &file_source_disk, &inv, &problems, NULL);
	said = problems_text(&problems);
	ck_assert_msg(inv != NULL, "%s", said);
	t = &inv->tenants[0];
	wanted = str_fmt("file:%s/keys/a.h", f);
	ck_assert_str_eq(t->hosts[0].connection.identity.text, wanted);
	free(wanted);
	wanted = str_fmt("file:%s/t/ws.a", f);
	ck_assert_str_eq(json_string_value(json_object_get(t->web_service, "api_key")), wanted);
	free(wanted);
	wanted = str_fmt("file:%s/pw", f);
	ck_assert_str_eq(json_string_value(
				 json_object_get(json_object_get(t->domains[0].settings, "imap"), "password")),
			 wanted);
	free(wanted);
	wanted = str_fmt("%s/kh", f);
	ck_assert_str_eq(t->hosts[0].connection.known_hosts, wanted);
	free(wanted);
	inventory_free(inv);
	free(said);
	free(path);
	folder_remove(f);
}
END_TEST

/* Before host keys are learnt nobody has one: that is a problem for everybody but the one who is about to learn them. */
START_TEST(test_unpinned)
{
	static const char *const known[] = { "'user': 'u'", "'user': 'u', 'known_hosts': 'not/yet'" };
	struct problems problems = { 0 };
	struct inventory *inv = NULL;

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		char *f = folder_new(), *path = folder_path(f, "inv.json"), *said;
		char *text = str_fmt("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'defaults': { %s,"
				     " 'identity': 'file:key', 'windows': [ { 'start': '2026-12-08T22:00:00Z', 'end':"
				     " '2026-12-09T05:00:00Z' } ] }, 'bastions': [ { 'name': 'b', 'address': 'b', %s } ],"
				     " 'tenants': [ { 'id': 'a', 'migration_date': '2026-12-01', 'new_fqdn': 'a.example',"
				     " 'domains': [], 'hosts': [ { 'name': 'h', 'address': 'h', 'via': 'b', 'agents': [ {"
				     " 'agent': 'ruby-client' } ] } ] } ] }",
				     known[i], known[i]);
		folder_write(f, "inv.json", 0644, text);
		folder_write(f, "key", 0600, "x");
		ck_assert_int_ne(inventory_load(path, &file_source_disk, &inv, &problems, NULL), 0);
		ck_assert_uint_ge(problems.n, 1);
		said = problems_text(&problems);
		ck_assert_ptr_nonnull(strstr(said, i == 0 ? "its key could not be checked" : "not/yet"));
		free(said);
		problems_release(&problems);
		problems = (struct problems){ 0 };
		ck_assert_int_eq(inventory_load_unpinned(path, &file_source_disk, &inv, &problems, NULL), 0);
		ck_assert_uint_eq(inv->tenants[0].hosts[0].connection.host_keys.n, 0);
		inventory_free(inv);
		problems_release(&problems);
		free(text);
		free(path);
		folder_remove(f);
	}
}
END_TEST

/* The first 200 problems are kept, the others are counted. */
START_TEST(test_many_problems)
{
	struct buf text = BUF_INIT;
	struct problems problems = { 0 };
	char *all;

	buf_adds(&text, "'x': 0");
	for (int i = 0; i < 500; i++)
		buf_addf(&text, ", 'unknown%d': 1", i);
	all = str_fmt("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'defaults': { %s } }",
		      buf_str(&text));
	ck_assert_ptr_null(load_text(all, &problems));
	ck_assert_uint_eq(problems.n, INVENTORY_PROBLEMS_MAX);
	ck_assert_uint_eq(problems.dropped, 501 - INVENTORY_PROBLEMS_MAX);
	problems_release(&problems);
	free(all);
	buf_release(&text);
}
END_TEST

/* What many tenants inherit is wrong once. */
START_TEST(test_inherited_once)
{
	struct problems problems = { 0 };
	struct inventory *inv =
		load_text("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'defaults': { 'retry':"
			  " { 'first_delay_s': 9, 'max_delay_s': 3 }, 'windows': [ { 'start': '2026-12-08T22:00:00Z', "
			  "'end':"
			  " '2026-12-09T05:00:00Z' } ], 'migration_date': '2026-12-01' }, 'tenants': [ { 'id': 'a',"
			  " 'new_fqdn': 'a.example' }, { 'id': 'b', 'new_fqdn': 'b.example' } ] }",
			  &problems);
	char *said = problems_text(&problems);

	ck_assert_ptr_null(inv);
	ck_assert_str_eq(said,
			 "/m/inv.json: /defaults/retry (tenant a): first_delay_s (9) is more than max_delay_s (3)\n");
	free(said);
	problems_release(&problems);
}
END_TEST

START_TEST(test_wrong_types)
{
	refused("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'tenants': [ { 'id': 7 }, 5, { "
		"'id': 'b',"
		" 'hosts': [ { 'name': 5, 'adress': 1 } ] } ] }",
		"/m/inv.json: /tenants/0/id: must be text, not a number\n"
		"/m/inv.json: /tenants/1: must be an object, not a number\n"
		"/m/inv.json: /tenants/2/hosts/0/name (tenant b): must be text, not a number\n"
		"/m/inv.json: /tenants/2/hosts/0/adress (tenant b): unknown key \"adress\", did you mean \"address\"?\n"
		"/m/inv.json: /tenants/0: the key \"migration_date\" is missing");
}
END_TEST

/* Keys with special characters in a pointer (RFC 6901), and nothing that moves a terminal. */
START_TEST(test_pointer)
{
	refused("{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'waves': { 'a/b~c\\u001b[2J': "
		"{} } }",
		"/m/inv.json: /waves/a~1b~0c?[2J: \"a/b~c?[2J\" is no name");
}
END_TEST

/* Ten thousand tenants, as data that the loader has to look at in full. The time is printed, not tested. */
START_TEST(test_many_tenants)
{
	struct buf text = BUF_INIT;
	struct problems problems = { 0 };
	struct inventory *inv;
	struct timespec a, b;

	buf_adds(&text, "{ 'inventory': 1, 'procedure': 'hes-1-to-2', 'profile': 'hes-global', 'defaults': { 'user': "
			"'u', 'time_zone':"
			" 'Asia/Tokyo' }, 'waves': { 'w': { 'windows': [ { 'start': '2026-12-08T22:00:00Z', 'end':"
			" '2026-12-09T05:00:00Z' } ] } }, 'tenants': [ ");
	for (int i = 0; i < 10000; i++)
		buf_addf(&text,
			 "%s{ 'id': 't%d', 'wave': 'w', 'migration_date': '2026-12-05', 'new_fqdn': "
			 "'t%d.hes2.example', 'uses': {"
			 " 'directory_sync': true }, 'domains': [ { 'name': 't%d.example' } ], 'hosts': [ { 'name': "
			 "'h', 'address':"
			 " '192.168.1.11', 'os': 'linux', " HOST_KEY
			 ", 'agents': [ { 'agent': 'ruby-client', 'schedule':"
			 " 'crontab:sync' } ] } ] }\n",
			 i ? "," : "", i, i, i);
	buf_adds(&text, "] }");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	inv = load_text(buf_str(&text), &problems);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert_ptr_nonnull(inv);
	ck_assert_uint_eq(inv->tenants_n, 10000);
	ck_assert_ptr_eq(inventory_tenant(inv, "t9999"), &inv->tenants[9999]);
	printf("10000 tenants, %zu bytes: %.2f s\n", text.len,
	       (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
	inventory_free(inv);
	buf_release(&text);
}
END_TEST

SUITE(load)
{
	TEST_CASE(s, test_example);
	TEST_CASE(s, test_migration_date);
	TEST_CASE(s, test_windows_are_sorted);
	TEST_CASE(s, test_relative_paths);
	TEST_CASE(s, test_unpinned);
	TEST_CASE(s, test_many_problems);
	TEST_CASE(s, test_inherited_once);
	TEST_CASE(s, test_wrong_types);
	TEST_CASE(s, test_pointer);
	TEST_CASE(s, test_many_tenants);
}
