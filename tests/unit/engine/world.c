#include "tests/unit/engine/world.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/ledger.h"
#include "engine/timers.h"
#include "journal/rows.h"
#include "tests/lib/unit.h"
#include "tests/unit/engine/toy.h"

#include <ftw.h>
#include <sys/wait.h>
#include <unistd.h>

static const char procedure[] =
	"{\"procedure\": 1, \"name\": \"toys\", \"title\": {\"en\": \"Toys\"},"
	" \"agents\": {\"toy\": {\"scope\": [\"host\"]}, \"later\": {\"scope\": [\"tenant\"]}, \"check\": {\"scope\": [\"domain\"],"
	"   \"params\": {\"when\": \"string\"}}},"
	" \"steps\": ["
	"  {\"name\": \"change\", \"title\": {\"en\": \"Change\"}, \"instruction\": {\"en\": \"Change it on {host}.\"},"
	"   \"phase\": \"switch\", \"agents\": [{\"agent\": \"toy\"},"
	"    {\"agent\": \"check\", \"with\": {\"when\": \"web_service\"}}]},"
	"  {\"name\": \"after\", \"title\": {\"en\": \"After\"}, \"phase\": \"settle\", \"agents\": [{\"agent\": \"later\"}],"
	"   \"needs\": [\"change\"]}]}";

static const char profile[] = "{\"profile\": 1, \"name\": \"toy-world\", \"title\": {\"en\": \"Toy world\"},"
			      " \"old\": {\"relay\": [\"old.example\"], \"web_service\": [\"old.example\"], \"mx\": [\"old.example\"]},"
			      " \"ranges\": [], \"spf_includes\": []}";

static int64_t fixed_wall(const struct clock *c)
{
	return CONTAINER_OF((struct clock *)(uintptr_t)c, struct world_clock, clock)->wall_ms;
}

static int64_t fixed_mono(const struct clock *c)
{
	return CONTAINER_OF((struct clock *)(uintptr_t)c, struct world_clock, clock)->mono_ms;
}

static void write_file(const struct world *w, const char *name, const char *text)
{
	char *path = str_fmt("%s/%s", w->dir, name);

	ck_assert_int_eq(file_write(path, 0600, text, strlen(text), NULL), 0);
	free(path);
}

void world_reload(struct world *w, const char *tenants)
{
	struct problems problems = { 0 };
	struct err err = { 0 };
	char *text = str_fmt("{\"inventory\": 1, \"procedure\": \"toys.json\", \"profile\": \"toy-world.json\","
			     " \"defaults\": {\"user\": \"u\", \"identity\": \"file:key\", \"known_hosts\": \"known_hosts\","
			     "  \"os\": \"linux\", \"migration_date\": \"2026-12-01\", \"domains\": [],"
			     "  \"new_fqdn\": \"new.example\", \"uses\": {},"
			     "  \"retry\": {\"attempts\": 4, \"first_delay_s\": 2, \"max_delay_s\": 60, \"give_up_s\": 600},"
			     "  \"windows\": [{\"start\": \"2026-12-01T22:00:00Z\", \"end\": \"2026-12-02T05:00:00Z\"},"
			     "                {\"start\": \"2026-12-08T22:00:00Z\", \"end\": \"2026-12-09T05:00:00Z\"}]},"
			     " \"tenants\": [%s]}",
			     tenants);
	char *path = str_fmt("%s/inventory.json", w->dir);

	if (w->inv)
		inventory_free(w->inv);
	write_file(w, "inventory.json", text);
	if (inventory_load(path, &file_source_disk, &w->inv, &problems, &err) != 0)
		for (size_t i = 0; i < problems.n; i++)
			fprintf(stderr, "%s: %s\n", problems.at[i].pointer, problems.at[i].text);
	ck_assert_ptr_nonnull(w->inv);
	problems_release(&problems);
	free(path);
	free(text);
}

void world_init(struct world *w, const char *tenants)
{
	*w = (struct world){ .clock = { { fixed_wall, fixed_mono }, 0, 1000 }, .concurrency = 100 };
	snprintf(w->dir, sizeof(w->dir), "/tmp/cutover-world-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(w->dir));
	snprintf(w->state, sizeof(w->state), "%s/cutover.db", w->dir);
	time_parse_rfc3339("2026-12-01T23:00:00Z", &w->clock.wall_ms, NULL, NULL);
	write_file(w, "toys.json", procedure);
	write_file(w, "toy-world.json", profile);
	write_file(w, "key", "not looked at by the fake transport");
	write_file(w, "known_hosts", "");
	fake_transport_init(&w->hosts);
	world_reload(w, tenants);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

void world_release(struct world *w)
{
	inventory_free(w->inv);
	fake_transport_release(&w->hosts);
	selection_release(&w->selection);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- one life --------------------------------------------------------------------------------------------------- */

struct life {
	uv_loop_t loop;
	struct journal *journal;
	struct journal_reader *reader;
	struct rows rows;
	struct engine *engine;
	bool done, closed;
};

static void on_done(struct engine *e, void *arg)
{
	struct life *life = arg;

	(void)e;
	life->done = true;
}

static void on_closed(void *arg)
{
	struct life *life = arg;

	life->closed = true;
}

static void open_state(struct world *w, struct life *life, enum engine_mode mode, int64_t *run)
{
	struct journal_entry entry = { .kind = JOURNAL_RUN, .wall_ms = w->clock.wall_ms, .procedure = "toys", .data = "{}" };
	struct err err = { 0 };
	int r;

	rows_init(&life->rows);
	if (mode == ENGINE_PLAN) {
		r = journal_reader_open(w->state, &life->reader, &err);
		ck_assert(r == 0 || r == E_NOTFOUND);
		if (r == 0)
			ck_assert_int_eq(rows_load(&life->rows, life->reader, &err), 0);
		return;
	}
	ck_assert_msg(journal_open(&life->loop, w->state, JOURNAL_CREATE, &life->journal, &err) == 0, "%s", err.text);
	ck_assert_msg(journal_begin_run(life->journal, &entry, run, &err) == 0, "%s", err.text);
	ck_assert_int_eq(journal_reader_open(w->state, &life->reader, &err), 0);
	ck_assert_msg(rows_load(&life->rows, life->reader, &err) == 0, "%s", err.text);
}

static void close_state(struct life *life)
{
	if (life->journal) {
		journal_close(life->journal, on_closed, life);
		while (!life->closed)
			uv_run(&life->loop, UV_RUN_ONCE);
	}
	if (life->reader)
		journal_reader_close(life->reader);
	rows_release(&life->rows);
	uv_run(&life->loop, UV_RUN_DEFAULT);
	ck_assert_int_eq(uv_loop_close(&life->loop), 0);
}

/* Something happens: a callback, a commit, a timer that is due, or time passes until the next one. */
static void turn(struct world *w, struct life *life)
{
	struct timers *timers = engine_timers(life->engine);
	int64_t next;

	uv_run(&life->loop, UV_RUN_NOWAIT);
	if (fake_transport_deliver(&w->hosts))
		return;
	next = timers_next(timers);
	if (next <= w->clock.mono_ms) {
		timers_run(timers);
	} else if (engine_ledger(life->engine)->pending) {
		uv_run(&life->loop, UV_RUN_ONCE);
	} else {
		ck_assert_msg(next != INT64_MAX, "nothing can ever happen any more");
		w->clock.wall_ms += next - w->clock.mono_ms;
		w->clock.mono_ms = next;
		timers_run(timers);
	}
}

void world_run(struct world *w, enum engine_mode mode)
{
	struct life life = { 0 };
	int64_t run = 0, begun = w->clock.mono_ms;
	struct err err = { 0 };
	struct engine_config cfg = { .mode = mode,
				     .clock = &w->clock.clock,
				     .transport = &w->hosts.base,
				     .local = &w->hosts.base,
				     .find = toy_find,
				     .inventory = w->inv,
				     .selection = &w->selection,
				     .rows = &life.rows,
				     .concurrency = w->concurrency,
				     .wait = w->wait,
				     .seed = 1,
				     .done = on_done,
				     .arg = &life };

	uv_loop_init(&life.loop);
	open_state(w, &life, mode, &run);
	cfg.journal = life.journal;
	cfg.reader = mode == ENGINE_PLAN ? NULL : life.reader;
	cfg.run = run;
	life.engine = engine_new(&cfg);
	ck_assert_msg(engine_start(life.engine, &err) == 0, "%s", err.text);
	for (w->turns = 0; !life.done; w->turns++) {
		ck_assert_msg(w->turns < 200000, "the engine goes round in circles");
		if (w->poke)
			w->poke(w, life.engine);
		turn(w, &life);
	}
	engine_outcome(life.engine, &w->outcome);
	w->elapsed_ms = w->clock.mono_ms - begun;
	ck_assert_int_eq(w->hosts.open, 0);
	close_state(&life);
	engine_free(life.engine);
}

bool world_run_in_child(struct world *w, enum engine_mode mode)
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		world_run(w, mode);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- what the state file says ----------------------------------------------------------------------------------- */

static void load_rows(struct world *w, struct rows *rows)
{
	struct journal_reader *reader;
	struct err err = { 0 };
	uint64_t entries;

	rows_init(rows);
	ck_assert_msg(journal_reader_open(w->state, &reader, &err) == 0, "%s", err.text);
	ck_assert_msg(rows_load(rows, reader, &err) == 0, "%s", err.text);
	ck_assert_msg(journal_verify(reader, &entries, &err) == 0, "%s", err.text);
	journal_reader_close(reader);
}

enum step_state world_state(struct world *w, const char *tenant, const char *step, const char *target)
{
	struct rows rows;
	const struct row *row;
	enum step_state state;

	load_rows(w, &rows);
	row = rows_find(&rows, tenant, step, target);
	ck_assert_msg(row != NULL, "no row %s %s %s", tenant, step, target);
	state = row->state;
	rows_release(&rows);
	return state;
}

char *world_text(struct world *w, const char *tenant, const char *step, const char *target)
{
	struct rows rows;
	const struct row *row;
	char *text;

	load_rows(w, &rows);
	row = rows_find(&rows, tenant, step, target);
	text = str_dup(row && row->text ? row->text : "");
	rows_release(&rows);
	return text;
}

size_t world_debts(struct world *w)
{
	struct rows rows;
	size_t n = 0;

	load_rows(w, &rows);
	for (size_t i = 0; i < rows.n; i++)
		n += rows.at[i]->debts_n;
	rows_release(&rows);
	return n;
}

char *world_tenant(const char *id, int first, int n, const char *extra)
{
	struct buf out = BUF_INIT;

	buf_addf(&out, "{\"id\": \"%s\", %s \"hosts\": [", id, extra);
	for (int i = first; i < first + n; i++)
		buf_addf(&out,
			 "%s{\"name\": \"h%d\", \"address\": \"10.0.0.%d\","
			 " \"identity_check\": {\"run\": \"name\", \"equals\": \"host%d\"}, \"agents\": [{\"agent\": \"toy\"}]}",
			 i > first ? ", " : "", i, i, i);
	buf_adds(&out, "]}");
	return buf_detach(&out);
}
