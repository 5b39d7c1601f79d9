/*
 * What an agent says of one result. A struct verdict comes from these functions only, so that a path that forgets to
 * judge does not compile. Texts are one plain sentence each: what, where, what to do next.
 *
 *   ok              as wanted: go on
 *   unchanged       nothing was to do: go on
 *   again           not yet: ask the same once more after a while (a poll, no attempt, until the row's budget_ms)
 *   retry           a failure that may pass: an attempt of the retry policy
 *   reread          what we knew is stale: back to observe (three times at most)
 *   wait            nothing wrong, but not before that time
 *   not_applicable  this target has nothing to do with the step; the text is the proof
 *   applied         done as far as we can, and what is not proved
 *   fail            it did not work; `code` groups failures in the report
 *   drift           neither the old nor the new: left alone, a person decides
 *   person          a person has to decide or act; the text is the instruction
 */
#ifndef AGENTS_VERDICT_H
#define AGENTS_VERDICT_H

#include <stdint.h>

#define VERDICT_TEXT_MAX 1024

enum verdict_kind {
	VERDICT_OK,
	VERDICT_UNCHANGED,
	VERDICT_AGAIN,
	VERDICT_RETRY,
	VERDICT_REREAD,
	VERDICT_WAIT,
	VERDICT_NOT_APPLICABLE,
	VERDICT_APPLIED,
	VERDICT_FAIL,
	VERDICT_DRIFT,
	VERDICT_PERSON,
};

struct verdict {
	enum verdict_kind kind;
	int code;	  /* E_…; fail and retry */
	int after_ms;	  /* again */
	int64_t until_ms; /* wait: wall time */
	char text[VERDICT_TEXT_MAX];
};

const char *verdict_name(enum verdict_kind kind);

struct verdict verdict_ok(void);
struct verdict verdict_unchanged(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_again(int after_ms, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct verdict verdict_retry(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct verdict verdict_reread(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_wait(int64_t until_ms, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct verdict verdict_not_applicable(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_applied(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct verdict verdict_drift(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
struct verdict verdict_person(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
