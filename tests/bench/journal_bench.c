/*
 * bench_journal [FOLDER]: what the journal costs on that folder's disk (default: the current one). Prints a table:
 * appends one by one, from 500 appenders at once (the loop of a night: hosts that each wait for their own intent), and
 * what a big file takes to fold, to verify and to read for one tenant. Not a test: it judges nothing.
 */
#include "journal/journal.h"
#include "journal/rows.h"

#include "base/alloc.h"

#include <sys/resource.h>
#include <unistd.h>

#define ONE_BY_ONE 300
#define APPENDERS 500
#define APPENDS_EACH 20
#define TENANTS 10000
#define ENTRIES_EACH 30
#define TENANTS_AN_APPEND 100

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "%s: %s\n", what, err->text);
	exit(1);
}

static struct journal_entry entry_of(const char *tenant, enum journal_kind kind)
{
	return (struct journal_entry){
		.kind = kind,
		.run = 1,
		.wall_ms = clock_wall_ms(&clock_system),
		.procedure = "hes-1-to-2",
		.tenant = tenant,
		.step = "sync-client",
		.target = "host:sync1",
		.action = "write-config",
		.attempt = 1,
		.text = "the file /opt/client/config.rb is about to be replaced",
		.data = "{\"kind\": \"replace\", \"path\": \"/opt/client/config.rb\", \"expect\": "
			"\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}"
	};
}

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void row(const char *what, uint64_t appends, uint64_t commits, int64_t ms, double cpu)
{
	if (ms < 1)
		ms = 1;
	printf("%-44s %8llu appends %6llu commits %7.2f s %8.0f appends/s %7.0f us CPU each\n", what,
	       (unsigned long long)appends, (unsigned long long)commits, (double)ms / 1000,
	       (double)appends * 1000 / (double)ms, cpu * 1e6 / (double)appends);
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

static void one_by_one(struct journal *j)
{
	int64_t begin = clock_mono_ms(&clock_system);
	double cpu = cpu_s();
	struct journal_stats before, after;
	struct err err = { 0 };

	journal_stats(j, &before);
	for (int i = 0; i < ONE_BY_ONE; i++) {
		struct journal_entry e = entry_of("acme", JOURNAL_INTENT);
		if (journal_append_now(j, &e, NULL, 1, &err) != 0)
			die("append", &err);
	}
	journal_stats(j, &after);
	row("one by one, each waiting for its fsync", after.appends - before.appends, after.commits - before.commits,
	    clock_mono_ms(&clock_system) - begin, cpu_s() - cpu);
}

struct appender {
	struct journal_append req;
	struct journal *j;
	char tenant[16];
	int left;
};

static void append_next(struct appender *a)
{
	struct journal_entry e = entry_of(a->tenant, JOURNAL_INTENT);

	journal_append(a->j, &a->req, &e, NULL, 1);
}

static int running;

static void on_done(struct journal_append *req, int status, const struct err *err)
{
	struct appender *a = req->arg;

	if (status)
		die("append", err);
	if (--a->left > 0)
		append_next(a);
	else
		running--;
}

static void many_at_once(uv_loop_t *loop, struct journal *j)
{
	static struct appender all[APPENDERS];
	int64_t begin = clock_mono_ms(&clock_system);
	double cpu = cpu_s();
	struct journal_stats before, after;

	journal_stats(j, &before);
	running = APPENDERS;
	for (int i = 0; i < APPENDERS; i++) {
		all[i] = (struct appender){ .j = j, .left = APPENDS_EACH, .req = { .done = on_done, .arg = &all[i] } };
		snprintf(all[i].tenant, sizeof(all[i].tenant), "t%d", i);
		append_next(&all[i]);
	}
	while (running)
		uv_run(loop, UV_RUN_ONCE);
	journal_stats(j, &after);
	row("500 at once, each waiting for its own", after.appends - before.appends, after.commits - before.commits,
	    clock_mono_ms(&clock_system) - begin, cpu_s() - cpu);
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

static void fill(struct journal *j)
{
	static struct journal_entry entries[TENANTS_AN_APPEND * ENTRIES_EACH];
	static char names[TENANTS_AN_APPEND][16];
	struct err err = { 0 };

	for (int first = 0; first < TENANTS; first += TENANTS_AN_APPEND) {
		for (int i = 0; i < TENANTS_AN_APPEND; i++)
			snprintf(names[i], sizeof(names[i]), "tenant-%d", first + i);
		/* Their entries are mixed, as those of a night are. */
		for (int k = 0; k < (int)ARRAY_LEN(entries); k++)
			entries[k] = entry_of(names[k % TENANTS_AN_APPEND],
					      k / TENANTS_AN_APPEND % 2 ? JOURNAL_OUTCOME : JOURNAL_INTENT);
		if (journal_append_now(j, entries, NULL, ARRAY_LEN(entries), &err) != 0)
			die("append", &err);
	}
}

static int count(const struct journal_entry *e, void *arg)
{
	(void)e;
	++*(uint64_t *)arg;
	return 0;
}

static void line(const char *what, uint64_t entries, int64_t ms)
{
	printf("%-44s %8llu entries %22.3f s\n", what, (unsigned long long)entries, (double)ms / 1000);
}

static void read_all(const char *path)
{
	struct journal_reader *r = NULL;
	struct rows rows;
	struct err err = { 0 };
	uint64_t n = 0;
	int64_t begin = clock_mono_ms(&clock_system);

	if (journal_reader_open(path, &r, &err) != 0)
		die("reader", &err);
	rows_init(&rows);
	if (rows_load(&rows, r, &err) != 0)
		die("fold", &err);
	line("all of it folded into rows", (uint64_t)rows.last_seq, clock_mono_ms(&clock_system) - begin);
	rows_release(&rows);
	begin = clock_mono_ms(&clock_system);
	for (int i = 0; i < 100; i++)
		if (journal_read(r, "tenant-5000", 0, count, &n, &err) != 0)
			die("read", &err);
	line("one tenant of 10,000, 100 times", n, clock_mono_ms(&clock_system) - begin);
	begin = clock_mono_ms(&clock_system);
	if (journal_verify(r, &n, &err) != 0)
		die("verify", &err);
	line("all chains recomputed", n, clock_mono_ms(&clock_system) - begin);
	journal_reader_close(r);
}

static void on_closed(void *arg)
{
	(void)arg;
}

int main(int argc, char **argv)
{
	char *path = str_fmt("%s/bench-%ld.db", argc > 1 ? argv[1] : ".", (long)getpid());
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	struct journal *j = NULL;
	struct err err = { 0 };
	uv_loop_t loop;

	uv_loop_init(&loop);
	if (journal_open(&loop, path, JOURNAL_CREATE, &j, &err) != 0)
		die("open", &err);
	one_by_one(j);
	many_at_once(&loop, j);
	fill(j);
	journal_close(j, on_closed, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	read_all(path);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		char *file = str_fmt("%s%s", path, suffixes[i]);
		unlink(file);
		free(file);
	}
	free(path);
	return 0;
}
