#include <errno.h>
#include <unistd.h>

#include "loop.h"

#define BATCH 256

int loop_init(struct loop *loop)
{
	loop->stop = 0;
	list_init(&loop->graves);
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll_fd < 0 ? -1 : 0;
}

static void dig_graves(struct loop *loop)
{
	struct list *node;

	while ((node = list_pop(&loop->graves))) {
		struct grave *grave = container_of(node, struct grave, node);

		grave->destroy(grave);
	}
}

void loop_release(struct loop *loop)
{
	dig_graves(loop);
	close(loop->epoll_fd);
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];

	while (!loop->stop) {
		int n = epoll_wait(loop->epoll_fd, events, BATCH, -1);

		if (n < 0 && errno != EINTR)
			return -1;
		for (int i = 0; i < n; i++) {
			struct watch *watch = events[i].data.ptr;

			if (watch->fd >= 0 && watch->events)
				watch->ready(watch, events[i].events);
		}
		dig_graves(loop);
	}
	return 0;
}

void loop_bury(struct loop *loop, struct grave *grave, void (*destroy)(struct grave *))
{
	grave->destroy = destroy;
	list_append(&loop->graves, &grave->node);
}

void watch_set(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = watch};

	if (watch->fd < 0 || watch->events == events)
		return;
	if (!events)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	else
		epoll_ctl(loop->epoll_fd, watch->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event);
	watch->events = events;
}

void watch_close(struct loop *loop, struct watch *watch)
{
	if (watch->fd < 0)
		return;
	watch_set(loop, watch, 0);
	close(watch->fd);
	watch->fd = -1;
}

void watch_forget(struct watch *watch)
{
	watch->fd = -1;
	watch->events = 0;
}
