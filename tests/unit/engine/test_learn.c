/* Host keys are learnt: who gets a line, who gets none and why, and what a person reads. */
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/learn.h"
#include "tests/unit/engine/world.h"

#define PIN "SHA256:1aB2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1U"
#define BASTIONS                                                                                                               \
	"{\"name\": \"out\", \"address\": \"10.0.0.30\", \"user\": \"u\"},"                                                   \
	"{\"name\": \"in\", \"address\": \"10.0.0.31\", \"user\": \"u\", \"via\": \"out\"}"

struct school {
	struct world w;
	struct learn *learn;
	const char *known; /* addresses of which a key is known: "10.0.0.1 10.0.0.2" */
	struct rows rows;
	int concurrency;
	int told, done;
	int stop_at; /* at that turn; -1: never */
	bool changes; /* once one is done, host 1 shows another key */
	struct buf openings;
};

/* One host of a tenant. more: "\"via\": \"in\"," and the like. */
static char *host(int n, const char *more)
{
	return str_fmt("{\"name\": \"h%d\", \"address\": \"10.0.0.%d\", %s \"agents\": [{\"agent\": \"toy\"}]}", n, n, more);
}

static char *checked(int n, const char *more)
{
	char *all = str_fmt("%s \"identity_check\": {\"run\": \"name\", \"equals\": \"host%d\"},", more, n), *text = host(n, all);

	free(all);
	return text;
}

/* Takes the hosts, up to a NULL; all of one customer's. */
static void begin(struct school *s, const char *bastions, ...)
{
	struct problems problems = { 0 };
	struct buf hosts = BUF_INIT;
	char *text, *path, *tenant = world_tenant("a", 1, 1, "");
	va_list ap;

	*s = (struct school){ .known = "", .concurrency = 10, .stop_at = -1 };
	world_init(&s->w, tenant);
	rows_init(&s->rows);
	s->w.hosts.openings = &s->openings;
	s->w.hosts.heeds_pins = true;
	va_start(ap, bastions);
	for (char *h = va_arg(ap, char *); h; h = va_arg(ap, char *)) {
		buf_addf(&hosts, "%s%s", hosts.len ? "," : "", h);
		free(h);
	}
	va_end(ap);
	text = str_fmt("{\"inventory\": 1, \"procedure\": \"toys.json\", \"profile\": \"toy-world.json\","
		       " \"defaults\": {\"user\": \"u\", \"identity\": \"file:key\", \"os\": \"linux\", \"domains\": [],"
		       "  \"migration_date\": \"2026-12-01\", \"new_fqdn\": \"new.example\", \"uses\": {},"
		       "  \"windows\": [{\"start\": \"2026-12-01T22:00:00Z\", \"end\": \"2026-12-02T05:00:00Z\"}]},"
		       " \"bastions\": [%s], \"tenants\": [{\"id\": \"a\", \"hosts\": [%s]}]}",
		       bastions, buf_str(&hosts));
	path = str_fmt("%s/inventory.json", s->w.dir);
	ck_assert_int_eq(file_write(path, 0600, text, strlen(text), NULL), 0);
	inventory_free(s->w.inv);
	s->w.inv = NULL;
	if (inventory_load_unpinned(path, &file_source_disk, &s->w.inv, &problems, NULL) != 0)
		for (size_t i = 0; i < problems.n; i++)
			fprintf(stderr, "%s: %s\n", problems.at[i].pointer, problems.at[i].text);
	ck_assert_ptr_nonnull(s->w.inv);
	problems_release(&problems);
	buf_release(&hosts);
	free(tenant);
	free(text);
	free(path);
}

static void end(struct school *s)
{
	if (s->learn)
		learn_free(s->learn);
	buf_release(&s->openings);
	rows_release(&s->rows);
	world_release(&s->w);
}

static void show(struct school *s, int n, const char *key)
{
	snprintf(s->w.hosts.hosts[n].host_key, sizeof(s->w.hosts.hosts[n].host_key), "%s", key);
}

static bool known(const struct connection *c, void *arg)
{
	const struct school *s = arg;
	const char *at = strstr(s->known, c->address);

	return at && strchr(" ", at[strlen(c->address)]);
}

static void on_told(const struct learned *learned, void *arg)
{
	struct school *s = arg;

	ck_assert_int_ne(learned->result, LEARN_NONE);
	s->told++;
	if (s->changes)
		show(s, 1, "ssh-ed25519 SHA256:other");
}

static void on_done(struct learn *learn, void *arg)
{
	struct school *s = arg;

	(void)learn;
	s->done++;
}

static void learn(struct school *s)
{
	struct learn_config cfg = { .transport = &s->w.hosts.base,
				    .clock = &s->w.clock.clock,
				    .inventory = s->w.inv,
				    .selection = &s->w.selection,
				    .rows = &s->rows,
				    .concurrency = s->concurrency,
				    .known = known,
				    .told = on_told,
				    .done = on_done,
				    .arg = s };

	if (s->learn)
		learn_free(s->learn);
	buf_clear(&s->openings);
	s->told = s->done = 0;
	s->learn = learn_new(&cfg);
	learn_start(s->learn);
	for (int turn = 0;; turn++) {
		if (turn == s->stop_at)
			learn_stop(s->learn);
		if (!fake_transport_deliver(&s->w.hosts))
			break;
	}
	ck_assert_int_eq(s->done, 1);
	ck_assert_int_eq(s->w.hosts.open, 0);
}

static const struct learned *find(struct school *s, const char *name)
{
	size_t n;
	const struct learned *all = learn_results(s->learn, &n);

	for (size_t i = 0; i < n; i++) {
		struct buf its = BUF_INIT;
		bool is;
		learned_name(&all[i], &its);
		is = strcmp(buf_str(&its), name) == 0;
		buf_release(&its);
		if (is)
			return &all[i];
	}
	ck_abort_msg("%s was not looked at", name);
	return NULL;
}

static void assert_result(struct school *s, const char *name, enum learn_result wanted, const char *says)
{
	const struct learned *r = find(s, name);
	bool counts = wanted == LEARN_PROVED || wanted == LEARN_UNPROVED || wanted == LEARN_KNOWN;

	ck_assert_msg(r->result == wanted && strstr(r->text, says), "%s: %s: %s", name, learn_result_word(r->result), r->text);
	ck_assert_msg(counts == (*r->key != '\0') && counts == (*r->blob != '\0'), "%s: %s", name, r->key);
}

static char *written(struct school *s)
{
	struct buf out = BUF_INIT;

	learn_write(s->learn, "inv.json", &out);
	return buf_detach(&out);
}

/* How many lines of the file count. */
static int pins(struct school *s)
{
	char *text = written(s), *save = NULL;
	int n = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += *line != '#';
	free(text);
	return n;
}

static void call(struct school *s, int n, const char *name)
{
	snprintf(s->w.hosts.hosts[n].name, sizeof(s->w.hosts.hosts[n].name), "%s", name);
}

/* Byte for byte, after the head: what a person reads. */
START_TEST(test_file)
{
	static const char wanted[] =
		"\n"
		"# a/h1 (10.0.0.1 port 22) answered 2026-12-01T23:00:00Z as SSH-2.0-fake\n"
		"# proved: `name` says \"host1\", as identity_check wants\n"
		"# 256 SHA256:fake1 10.0.0.1 (ED25519)\n"
		"# \"host_key\": \"ssh-ed25519 SHA256:fake1\"\n"
		"10.0.0.1 ssh-ed25519 c3NoLWVkMjU1MTkgU0hBMjU2OmZha2Ux\n"
		"\n"
		"# a/h2 (10.0.0.2 port 2222) answered 2026-12-01T23:00:00Z as SSH-2.0-fake\n"
		"# unproved: it has no identity_check: nothing shows that it is the right machine\n"
		"# 256 SHA256:fake2 [10.0.0.2]:2222 (ECDSA)\n"
		"# \"host_key\": \"ecdsa-sha2-nistp256 SHA256:fake2\"\n"
		"# unproved: [10.0.0.2]:2222 ecdsa-sha2-nistp256 ZWNkc2Etc2hhMi1uaXN0cDI1NiBTSEEyNTY6ZmFrZTI=\n"
		"\n"
		"# a/h3 (10.0.0.3 port 22): no key\n"
		"# no login: a/h3: connection refused\n";
	struct school s;
	char *text;

	begin(&s, "", checked(1, ""), host(2, "\"port\": 2222,"), checked(3, ""), checked(4, ""), NULL);
	show(&s, 2, "ecdsa-sha2-nistp256 SHA256:fake2");
	s.w.hosts.open_refused[3] = -1;
	s.known = "10.0.0.4";
	learn(&s);
	ck_assert_int_eq(s.told, 4);
	text = written(&s);
	ck_assert_ptr_nonnull(strstr(text, "# Nothing trusts this file yet."));
	ck_assert_str_eq(strstr(text, "\n\n") + 1, wanted);
	assert_result(&s, "a/h4", LEARN_KNOWN, "as identity_check wants");
	ck_assert_int_eq(pins(&s), 1);
	free(text);
	end(&s);
}
END_TEST

START_TEST(test_another_machine)
{
	struct school s;

	begin(&s, "", checked(1, ""), checked(2, ""), checked(3, ""), NULL);
	call(&s, 1, "host2");
	call(&s, 2, "host1");
	call(&s, 3, "somebody");
	learn(&s);
	assert_result(&s, "a/h1", LEARN_WRONG, "says \"host2\" (exit 0), identity_check wants \"host1\": that is what a/h2 should say");
	assert_result(&s, "a/h2", LEARN_WRONG, "that is what a/h1 should say; are the addresses swapped?");
	assert_result(&s, "a/h3", LEARN_WRONG, "check its address, port and bastion");
	ck_assert_int_eq(pins(&s), 0);
	/* A host that is pinned is asked, too. */
	s.known = "10.0.0.3";
	learn(&s);
	assert_result(&s, "a/h3", LEARN_WRONG, "says \"somebody\"");
	end(&s);
}
END_TEST

/* What is known stays: a pin of the inventory, and what an accept-new host showed in an earlier run. */
START_TEST(test_another_key)
{
	struct school s;
	char *tenant;

	begin(&s, "", checked(1, "\"host_key\": \"" PIN "\","), checked(2, "\"host_key\": \"" PIN "\","), NULL);
	show(&s, 1, "ssh-ed25519 " PIN);
	learn(&s);
	assert_result(&s, "a/h1", LEARN_KNOWN, "");
	assert_result(&s, "a/h2", LEARN_REFUSED, "host key mismatch: it shows ssh-ed25519 SHA256:fake2, not " PIN);
	ck_assert_int_eq(pins(&s), 0);
	ck_assert_int_eq(s.w.hosts.hosts[2].pokes, 0);
	end(&s);

	begin(&s, "", checked(1, "\"host_keys\": \"accept-new\","), NULL);
	tenant = world_tenant("a", 1, 1, "\"host_keys\": \"accept-new\",");
	world_reload(&s.w, tenant);
	free(tenant);
	world_run(&s.w, ENGINE_RUN);
	{
		struct journal_reader *reader;
		ck_assert_int_eq(journal_reader_open(s.w.state, &reader, NULL), 0);
		ck_assert_int_eq(rows_load(&s.rows, reader, NULL), 0);
		journal_reader_close(reader);
	}
	learn(&s);
	assert_result(&s, "a/h1", LEARN_PROVED, "");
	show(&s, 1, "ssh-ed25519 SHA256:other");
	learn(&s);
	assert_result(&s, "a/h1", LEARN_REFUSED, "it shows ssh-ed25519 SHA256:other, not ssh-ed25519 SHA256:fake1");
	end(&s);
}
END_TEST

/* From the outside to the inside, one a time; what is behind one that nobody has pinned is not connected to. */
START_TEST(test_bastions)
{
	struct school s;
	char *text;

	begin(&s, BASTIONS, checked(1, "\"via\": \"in\","), checked(2, "\"via\": \"in\", \"os\": \"windows\","), checked(3, ""), NULL);
	learn(&s);
	assert_result(&s, "bastion out", LEARN_UNPROVED, "a bastion has no identity_check");
	assert_result(&s, "a/h1", LEARN_BEHIND, "behind the bastion out, whose key is not known");
	assert_result(&s, "a/h3", LEARN_PROVED, "");
	ck_assert_str_eq(buf_str(&s.openings), "bastion out 10.0.0.30:22\na/h3 10.0.0.3:22\n");
	ck_assert_int_eq(pins(&s), 1);
	s.known = "10.0.0.30 10.0.0.3";
	learn(&s);
	assert_result(&s, "bastion in", LEARN_UNPROVED, "");
	assert_result(&s, "a/h2", LEARN_BEHIND, "behind the bastion in, whose key is not known");
	ck_assert_str_eq(buf_str(&s.openings), "bastion in 10.0.0.31:22 via bastion out\na/h3 10.0.0.3:22\n");
	s.known = "10.0.0.30 10.0.0.31 10.0.0.3";
	learn(&s);
	assert_result(&s, "a/h1", LEARN_PROVED, "");
	assert_result(&s, "a/h2", LEARN_PROVED, "");
	ck_assert_str_eq(buf_str(&s.openings), "a/h1 10.0.0.1:22 via bastion in via bastion out\n"
					       "a/h2 10.0.0.2:22 windows via bastion in via bastion out\na/h3 10.0.0.3:22\n");
	text = written(&s);
	ck_assert_ptr_nonnull(strstr(text, "# a/h2 (10.0.0.2 port 22, by way of bastion out, in) answered"));
	free(text);
	end(&s);
}
END_TEST

/* A bastion that is there for forwarding only, and one that is down. */
START_TEST(test_bastions_that_let_nobody_in)
{
	struct school s;

	begin(&s, BASTIONS, checked(1, "\"via\": \"out\","), NULL);
	s.w.hosts.open_refused[30] = 1;
	learn(&s);
	assert_result(&s, "bastion out", LEARN_FAILED, "connection refused");
	learn(&s);
	assert_result(&s, "bastion out", LEARN_UNPROVED, "");
	s.w.hosts.shuts_after_key[30] = true;
	learn(&s);
	assert_result(&s, "bastion out", LEARN_UNPROVED, "and it lets nobody in: bastion out: the login was refused");
	end(&s);
}
END_TEST

/* A line of known_hosts would hold for more than one machine. */
START_TEST(test_ambiguous)
{
	struct school s;
	char *text;

	begin(&s, BASTIONS, checked(1, ""),
	      str_dup("{\"name\": \"far\", \"address\": \"10.0.0.1\", \"via\": \"out\", \"agents\": [{\"agent\": \"toy\"}]}"), NULL);
	learn(&s);
	assert_result(&s, "a/h1", LEARN_PROVED, "");
	ck_assert_int_eq(pins(&s), 0);
	text = written(&s);
	ck_assert_ptr_nonnull(strstr(text, "# ambiguous: the inventory has another machine of this address"));
	ck_assert_ptr_nonnull(strstr(text, "# ambiguous: 10.0.0.1 ssh-ed25519 c3No"));
	free(text);
	end(&s);

	/* The same address twice, and two keys: the second connection sees another one. */
	begin(&s, "", checked(1, ""), str_dup("{\"name\": \"too\", \"address\": \"10.0.0.1\", \"identity_check\": {\"run\": \"name\","
					      " \"equals\": \"host1\"}, \"agents\": [{\"agent\": \"toy\"}]}"), NULL);
	learn(&s);
	ck_assert_int_eq(pins(&s), 2);
	s.concurrency = 1;
	s.changes = true;
	learn(&s);
	ck_assert_int_eq(pins(&s), 0);
	text = written(&s);
	ck_assert_ptr_nonnull(strstr(text, "# ambiguous: different keys were shown at this address"));
	free(text);
	end(&s);
}
END_TEST

/* Whatever a host says it is, the file has the lines that we write, and no others. */
START_TEST(test_a_host_that_writes)
{
	struct school s;
	char *text;

	begin(&s, "", host(1, "\"identity_check\": {\"run\": \"name\", \"matches\": \"^evil\"},"), NULL);
	call(&s, 1, "x\033[2J\n* ssh-rsa A\nevil\r\xff");
	learn(&s);
	assert_result(&s, "a/h1", LEARN_PROVED, "x?[2J * ssh-rsa A evil");
	ck_assert_int_eq(pins(&s), 1);
	text = written(&s);
	for (const char *p = text; *p; p++)
		ck_assert((unsigned char)*p >= 0x20 || *p == '\n');
	free(text);
	call(&s, 1, "\033]0;x\007\nmore");
	learn(&s);
	assert_result(&s, "a/h1", LEARN_WRONG, "identity_check wants a match of \"^evil\"");
	ck_assert_int_eq(pins(&s), 0);
	end(&s);
}
END_TEST

/* Each opening and each question fails once in each way: that host has no line, the others have theirs. */
START_TEST(test_every_fault)
{
	static const enum fake_fault faults[] = { FAULT_OPEN_REFUSED, FAULT_CUT_BEFORE, FAULT_CUT_BEFORE_UNKNOWN,
						  FAULT_CUT_AFTER,    FAULT_TIMEOUT,	FAULT_SUDO };

	for (size_t f = 0; f < ARRAY_LEN(faults); f++) {
		for (int at = 1; at <= 7; at++) {
			struct school s;
			begin(&s, "", checked(1, ""), checked(2, ""), checked(3, ""), NULL);
			s.concurrency = 1 + at % 3;
			s.w.hosts.fault = faults[f];
			s.w.hosts.fault_at = at;
			learn(&s);
			ck_assert_int_eq(s.told, 3);
			ck_assert_int_le(s.w.hosts.most_open, s.concurrency);
			ck_assert_uint_eq(learn_count(s.learn, LEARN_FAILED), at <= 6);
			ck_assert_uint_eq(learn_count(s.learn, LEARN_PROVED), at <= 6 ? 2 : 3);
			ck_assert_int_eq(pins(&s), at <= 6 ? 2 : 3);
			end(&s);
		}
	}
}
END_TEST

/* Stopped at each turn: all is closed, done comes once, and who was not asked to the end has no line. */
START_TEST(test_stopped)
{
	size_t proved = 0;

	for (int at = 0; at < 12; at++) {
		struct school s;
		begin(&s, "", checked(1, ""), checked(2, ""), checked(3, ""), NULL);
		s.concurrency = 2;
		s.stop_at = at;
		learn(&s);
		learn_stop(s.learn);
		ck_assert_int_eq(s.done, 1);
		ck_assert_uint_eq(learn_count(s.learn, LEARN_PROVED) + learn_count(s.learn, LEARN_NONE), 3);
		ck_assert_int_eq(pins(&s), (int)learn_count(s.learn, LEARN_PROVED));
		ck_assert_uint_ge(learn_count(s.learn, LEARN_PROVED), proved);
		proved = learn_count(s.learn, LEARN_PROVED);
		end(&s);
	}
	ck_assert_uint_eq(proved, 3);
}
END_TEST

/* Who is not selected, and where a run would not log in, is left alone; nothing to do is no end without a word. */
START_TEST(test_who_is_asked)
{
	struct school s;
	char *name = (char *)(uintptr_t)"h2";

	begin(&s, "", checked(1, ""), checked(2, ""), str_dup("{\"name\": \"h3\", \"address\": \"10.0.0.3\", \"agents\": []}"), NULL);
	s.w.selection.hosts = (struct strings){ &name, 1 };
	learn(&s);
	ck_assert_str_eq(buf_str(&s.openings), "a/h2 10.0.0.2:22\n");
	name = (char *)(uintptr_t)"h3";
	learn(&s);
	ck_assert_int_eq(s.told, 0);
	ck_assert_str_eq(buf_str(&s.openings), "");
	s.w.selection.hosts = (struct strings){ 0 };
	end(&s);
}
END_TEST

/* A key of ours that cannot be had is that host's failure, and nobody is connected to for it. */
START_TEST(test_no_key_of_ours)
{
	struct school s;

	begin(&s, "", checked(1, "\"identity\": \"env:CUTOVER_TEST_NO_SUCH_KEY\","), checked(2, ""), NULL);
	learn(&s);
	assert_result(&s, "a/h1", LEARN_FAILED, "CUTOVER_TEST_NO_SUCH_KEY");
	assert_result(&s, "a/h2", LEARN_PROVED, "");
	ck_assert_str_eq(buf_str(&s.openings), "a/h2 10.0.0.2:22\n");
	end(&s);
}
END_TEST

SUITE(learn)
{
	TEST_CASE(s, test_file);
	TEST_CASE(s, test_another_machine);
	TEST_CASE(s, test_another_key);
	TEST_CASE(s, test_bastions);
	TEST_CASE(s, test_bastions_that_let_nobody_in);
	TEST_CASE(s, test_ambiguous);
	TEST_CASE(s, test_a_host_that_writes);
	TEST_CASE(s, test_every_fault);
	TEST_CASE(s, test_stopped);
	TEST_CASE(s, test_who_is_asked);
	TEST_CASE(s, test_no_key_of_ours);
}
