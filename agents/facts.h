/*
 * Facts: key → bytes. What an agent saw, in its own words; the engine stores them, the agent reads them. Keys are
 * lower-case words with dots ("config.path", "schedule.line"); values are any bytes. A key is there or not; an empty
 * value is a value.
 */
#ifndef AGENTS_FACTS_H
#define AGENTS_FACTS_H

#include <stdbool.h>
#include <stddef.h>

struct fact {
	char *key;
	char *value; /* a NUL byte follows that len does not count */
	size_t len;
};

struct facts {
	struct fact *at; /* sorted by key */
	size_t n;
};

void facts_release(struct facts *f);
void facts_copy(struct facts *to, const struct facts *from); /* `to` is replaced */

/* Setting replaces. */
void facts_set(struct facts *f, const char *key, const void *value, size_t len);
void facts_set_text(struct facts *f, const char *key, const char *text);
void facts_setf(struct facts *f, const char *key, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void facts_unset(struct facts *f, const char *key);

/* NULL when it is not there. */
const struct fact *facts_get(const struct facts *f, const char *key);
/* The value as text, `otherwise` when it is not there. */
const char *facts_text(const struct facts *f, const char *key, const char *otherwise);
bool facts_is(const struct facts *f, const char *key, const char *text);

#endif
