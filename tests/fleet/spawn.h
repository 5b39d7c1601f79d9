/*
 * spawn: starts a command as one host sees the machine: own mounts, own processes, own host name.
 *
 * The command runs in a mount namespace of its own. The machine's files are read-only there (unless asked otherwise),
 * and over each path listed in ROOT/hosts/ADDR/mounts lies the host's own ROOT/hosts/ADDR/root/PATH, writable.
 *
 * A host has a process namespace too, whose init lives as long as the server: a command sees (and can kill) the
 * processes of its own host only, daemons outlive their connection, and nothing outlives the server.
 *
 * Nothing is created outside ROOT: a mount point that the machine does not have is an error, which the command's
 * stderr and exit code 254 tell.
 */
#ifndef FLEET_SPAWN_H
#define FLEET_SPAWN_H

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#define MOUNTS_MAX 32
#define SPAWN_FAILED_CODE 254

/* What ROOT/hosts/ADDR/mounts says: one path a line, with or without the leading slash; # starts a comment. */
struct mounts {
	unsigned count;
	char target[MOUNTS_MAX][256];      /* "/opt" */
	char source[MOUNTS_MAX][PATH_MAX]; /* ROOT/hosts/ADDR/root/opt */
	char problem[PATH_MAX + 1024];     /* set when reading failed */
};

/* A host without the file has no mounts. False: mounts->problem says why. */
bool mounts_read(struct mounts *, const char *root, const char *addr);

struct spawn {
	pid_t init;
	const struct mounts *mounts;
	const char *hostname; /* NULL or empty: the machine's */
	const char *command;  /* NULL: a shell that reads its commands from stdin */
	char *const *env;
	const struct rlimit *nofile;
	bool writable; /* leave the machine's own files writable */
	bool outside;  /* in no namespace: init, mounts and hostname do not count */
	int stdio[3];
};

/*
 * Once, first of all in the process: takes the descriptors 0 to 2, if they are closed, and 60 to 62.
 * False with errno.
 */
bool spawn_reserve(void);

/* The init of a new process namespace, or -1 with errno. It reaps what is left to it and dies with this process. */
pid_t spawn_init(void);

/* The process id, or -1 with errno (ESRCH: the init is gone). What fails after the fork is told on stdio[2]. */
pid_t spawn_start(const struct spawn *);

#endif
