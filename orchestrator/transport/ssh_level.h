/*
 * How many connections a bastion is asked to carry at once. Nobody knows the right number beforehand (MaxStartups, file
 * descriptors, a small machine), so it is found: half of what was in use when the bastion closes a connection before the
 * login or refuses to open another for lack of room, one more for each connection that it opened while the level was
 * what held others up. Pure: no clock but the one it is given.
 *
 *   start 8, at least 1, at most 256. With the start of 8 a bastion that takes everything is at 200 after 192
 *   connections, that is within five rounds, since each round doubles.
 *
 * Failures come in bursts: ten opens that were under way together are refused together, for one reason. So what began
 * before the last halving counts no more (as with TCP, one reaction a round trip): whoever begins something takes the
 * round that holds (`level.round`) and shows it with the result.
 *
 * A level that was halved while its places are held for long would stay there, as no new connection is opened that could
 * succeed. So each LEVEL_PROBE_MS in which somebody waited and nothing failed give one more, too.
 */
#ifndef TRANSPORT_SSH_LEVEL_H
#define TRANSPORT_SSH_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

enum { LEVEL_START = 8, LEVEL_MIN = 1, LEVEL_MAX = 256, LEVEL_PROBE_MS = 10000 };

struct level {
	unsigned now;
	unsigned round;	     /* counts the halvings */
	int64_t changed_ms;  /* when it was changed last */
};

void level_init(struct level *level, int64_t now_ms);

/* A connection was opened, with `used` places taken in all, this one among them. */
void level_success(struct level *level, unsigned used, int64_t now_ms);

/* Something that began in `round` was refused, with `used` places taken. True when the level has been halved for it. */
bool level_failure(struct level *level, unsigned round, unsigned used, int64_t now_ms);

/* Somebody waits for a place. When to call it again. */
int64_t level_probe(struct level *level, int64_t now_ms);

#endif
