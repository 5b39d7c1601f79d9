/*
 * What the operator sees while a run goes on. On a terminal: a picture that is redrawn (a bar, counts, the slowest
 * targets with what they do and for how long, the time left as a range). Otherwise plain lines: one for each row that
 * ends, and the counts every half minute.
 */
#ifndef ORCHESTRATOR_PROGRESS_H
#define ORCHESTRATOR_PROGRESS_H

#include "engine/engine.h"

#include <uv.h>

struct progress {
	struct engine *engine;
	const char *command;
	uv_timer_t timer;
	bool open, live;
	int64_t begun_ms, said_ms;
	int stops;
};

void progress_start(struct progress *p, uv_loop_t *loop, struct engine *engine, const char *command);
void progress_end(struct progress *p); /* the picture stays as it is */
void progress_close(struct progress *p);

/* A row has moved (engine_config.moved; arg: the struct controller). */
void progress_moved(const struct row *row, void *arg);

/* SIGUSR1: the counts and the slowest, now. And what a stop signal means, each time one comes. */
void progress_say(struct progress *p);
void progress_stopping(struct progress *p);

#endif
