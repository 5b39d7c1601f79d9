/*
 * writes: counts how often files are replaced or written.
 *
 *     writes [--name NAME] [--log FILE] (DIR... | --list FILE)
 *
 * Watches the directories (given, or one a line in FILE), prints "ready" when all watches are set, and then appends a
 * line to the log (standard output without --log) each time a file called NAME (imhs-config.rb) there
 *     moved DIR/NAME      was put in place by a rename
 *     written DIR/NAME    was closed after having been open for writing
 * At SIGTERM or SIGINT it notes what the kernel has still queued and exits 0; 1 when events were lost ("overflow").
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct writes {
	const char *name;
	FILE *log;
	int fd;
	char **dir; /* by watch descriptor */
	size_t dirs;
	bool lost;
};

static bool watch_dir(struct writes *w, const char *dir)
{
	int wd = inotify_add_watch(w->fd, dir, IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);

	if (wd < 0) {
		fprintf(stderr, "writes: %s: %s\n", dir, strerror(errno));
		return false;
	}
	if ((size_t)wd >= w->dirs) {
		size_t more = (size_t)wd * 2 + 16;

		w->dir = realloc(w->dir, more * sizeof *w->dir);
		if (!w->dir)
			abort();
		memset(w->dir + w->dirs, 0, (more - w->dirs) * sizeof *w->dir);
		w->dirs = more;
	}
	free(w->dir[wd]);
	w->dir[wd] = strdup(dir);
	return w->dir[wd];
}

static bool watch_list(struct writes *w, const char *path)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = true;
	FILE *in = fopen(path, "re");

	if (!in) {
		fprintf(stderr, "writes: %s: %s\n", path, strerror(errno));
		return false;
	}
	while (ok && getline(&line, &size, in) >= 0) {
		line[strcspn(line, "\r\n")] = 0;
		ok = !*line || watch_dir(w, line);
	}
	free(line);
	fclose(in);
	return ok;
}

static void note(struct writes *w, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		fprintf(w->log, "overflow\n");
		w->lost = true;
	} else if (event->len && !strcmp(event->name, w->name)) {
		fprintf(w->log, "%s %s/%s\n", event->mask & IN_MOVED_TO ? "moved" : "written", w->dir[event->wd],
			event->name);
	}
}

static void drain(struct writes *w)
{
	_Alignas(struct inotify_event) char buf[65536];
	ssize_t n;

	while ((n = read(w->fd, buf, sizeof buf)) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const void *)(buf + at);

			note(w, event);
			at += (ssize_t)sizeof *event + event->len;
		}
	}
	fflush(w->log);
}

/* The options; returns the index of the first directory, or -1. */
static int parse(struct writes *w, const char **list, int argc, char **argv)
{
	int i = 1;

	for (; i < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (i + 1 == argc)
			return -1;
		if (!strcmp(argv[i], "--name"))
			w->name = argv[i + 1];
		else if (!strcmp(argv[i], "--list"))
			*list = argv[i + 1];
		else if (strcmp(argv[i], "--log") != 0 || !(w->log = fopen(argv[i + 1], "ae")))
			return -1;
	}
	return i < argc || *list ? i : -1;
}

static void run(struct writes *w, int signals)
{
	struct pollfd fds[2] = {{.fd = w->fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	do {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		drain(w);
	} while (!(fds[1].revents & POLLIN));
}

int main(int argc, char **argv)
{
	struct writes w = {.name = "imhs-config.rb", .log = stdout};
	const char *list = NULL;
	bool ok = true;
	sigset_t set;
	int first = parse(&w, &list, argc, argv);

	if (first < 0) {
		fputs("usage: writes [--name NAME] [--log FILE] (DIR... | --list FILE)\n", stderr);
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (int i = first; i < argc && ok; i++)
		ok = watch_dir(&w, argv[i]);
	if (w.fd < 0 || !ok || (list && !watch_list(&w, list)))
		return 1;
	puts("ready");
	fflush(stdout);
	run(&w, signalfd(-1, &set, SFD_CLOEXEC));
	for (size_t i = 0; i < w.dirs; i++)
		free(w.dir[i]);
	free(w.dir);
	return w.lost || fclose(w.log);
}
