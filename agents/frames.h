/*
 * What the scripts of agents/remote/ print: frames. A frame is a line `NAME LENGTH`, LENGTH bytes, and a newline; so a
 * value may hold any byte, a newline too, and a file name can forge nothing. The last frame of every script is `end 0`:
 * without it the answer was cut, and nothing of it is used.
 */
#ifndef AGENTS_FRAMES_H
#define AGENTS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#define FRAME_NAME_MAX 32

struct frame {
	char name[FRAME_NAME_MAX]; /* a lower-case word */
	const char *value;         /* a view into the text; no NUL byte follows */
	size_t len;
};

/* Is the whole text frames, and its last one `end`? */
bool frames_whole(const char *text, size_t len);

/* The next frame from *at on, which moves; false at the end, or where the text is no frame. */
bool frames_next(const char *text, size_t len, size_t *at, struct frame *frame);

/* The first frame of that name, or false. */
bool frames_find(const char *text, size_t len, const char *name, struct frame *frame);

/* The value as a string of its own; the caller frees. */
char *frame_text(const struct frame *frame);
bool frame_is(const struct frame *frame, const char *name);

#endif
