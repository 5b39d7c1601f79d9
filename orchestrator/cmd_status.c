/*
 * cutover status: where everything stands. With --watch again and again until the run ends: redrawn on a terminal; else
 * a new text each time the journal has grown.
 */
#include "reading.h"
#include "report/status.h"
#include "terminal.h"

#include <signal.h>
#include <time.h>

#define WATCH_EVERY_S 1

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signum)
{
	(void)signum;
	interrupted = 1;
}

/* Its coming ends the pause, so that the picture is drawn at the new size. */
static void on_resize(int signum)
{
	(void)signum;
}

static int status_now(struct reading *r, struct buf *text, struct err *err)
{
	int rc = reading_refresh(r, err);

	buf_clear(text);
	return rc ? rc : status_text(&r->query, text, err);
}

static int print_status(struct reading *r, struct err *err)
{
	struct buf text = { .max = REPORT_MAX_BYTES };
	int rc;

	r->query.width = terminal_width_out();
	r->query.colour = terminal_colour_out();
	rc = status_now(r, &text, err);
	if (rc == 0)
		rc = terminal_put(buf_str(&text), text.len, err);
	buf_release(&text);
	return rc;
}

static int keep_seq(const struct journal_entry *entry, void *arg)
{
	*(int64_t *)arg = entry->seq;
	return 0;
}

static void pause_until_next(void)
{
	const struct timespec pause = { .tv_sec = WATCH_EVERY_S };

	nanosleep(&pause, NULL);
}

/* On a terminal: the picture, then the last one whole below. */
static int watch_live(struct reading *r, struct err *err)
{
	struct buf text = { .max = REPORT_MAX_BYTES };
	int rc = 0;

	r->query.colour = terminal_colour();
	do {
		r->query.width = terminal_width();
		rc = status_now(r, &text, err);
		if (rc)
			break;
		terminal_draw(buf_str(&text), text.len);
		if (r->query.holder)
			pause_until_next();
	} while (r->query.holder && !interrupted);
	terminal_draw_end(false);
	buf_release(&text);
	return rc ? rc : print_status(r, err);
}

/* Elsewhere: a text each time there is something new in the journal. */
static int watch_plain(struct reading *r, struct err *err)
{
	int64_t shown = -1, seq = 0;
	bool going;
	int rc;

	do {
		rc = reading_refresh(r, err);
		going = rc == 0 && r->query.holder && !interrupted;
		if (rc == 0)
			rc = journal_read(r->query.reader, NULL, seq, keep_seq, &seq, err);
		if (rc == 0 && (seq != shown || !going))
			rc = print_status(r, err);
		shown = seq;
		if (rc == 0 && going)
			pause_until_next();
	} while (rc == 0 && going);
	return rc;
}

static int watch(struct reading *r, struct err *err)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, resize = { .sa_handler = on_resize };
	bool was_running = r->query.holder != NULL;
	int rc;

	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &interrupt, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	rc = terminal_is_live() && terminal_is_out() ? watch_live(r, err) : watch_plain(r, err);
	if (rc == 0 && !interrupted)
		terminal_say(was_running ? "the run has ended" : "no run is going on");
	return rc;
}

int cmd_status(const struct options *o)
{
	struct reading r;
	struct err err = { 0 };
	int rc = reading_open(o, &r, &err);

	if (rc == 0) {
		rc = o->watch ? watch(&r, &err) : print_status(&r, &err);
		reading_close(&r);
	}
	return terminal_end(rc, &err);
}
