/*
 * loop: epoll with one small object per descriptor. Each event costs the same however many descriptors there are.
 *
 * A watch lives inside the object it belongs to. `ready` gets the watch back and finds its owner by container_of().
 * An object may go away in the middle of a batch of events of which a later one is its own: it closes its watches with
 * watch_close(), hands itself to loop_bury(), and is freed after the batch. Events for a closed watch are dropped.
 */
#ifndef FLEET_LOOP_H
#define FLEET_LOOP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/list.h"

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

struct watch {
	int fd;          /* -1: closed or never opened */
	uint32_t events; /* what epoll watches now; 0: the descriptor is not in epoll */
	void (*ready)(struct watch *, uint32_t events);
};

/* Put into an object that is freed after the batch. */
struct grave {
	struct list node;
	void (*destroy)(struct grave *);
};

struct loop {
	int epoll_fd;
	int stop;
	struct list graves;
};

/* 0, or -1 with errno. */
int loop_init(struct loop *);
void loop_release(struct loop *);

/* Runs until loop->stop is set. 0, or -1 with errno when epoll itself fails. */
int loop_run(struct loop *);

void loop_bury(struct loop *, struct grave *, void (*destroy)(struct grave *));

/* Watches for exactly these events from now on; 0 takes the descriptor out of epoll (hang-up and error too). */
void watch_set(struct loop *, struct watch *, uint32_t events);

/* Out of epoll, and the descriptor closed. Calling it again does nothing. */
void watch_close(struct loop *, struct watch *);

/* The descriptor was closed by somebody else, which took it out of epoll: forget it without touching its number. */
void watch_forget(struct watch *);

#endif
