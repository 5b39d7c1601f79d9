/*
 * What sc.exe says: numbers out of its tables, and what its exit codes mean. Pure.
 *
 * Labels and words of its output are translated on some machines, numbers and their order are not: a table is read by
 * position. Its lines are indented, `LABEL : VALUE`, always in the same order (MicrosoftDocs, sc-query.md); a line in
 * parentheses below STATE has no colon. The exit code of sc.exe is the Win32 error (winerror.h; MicrosoftDocs/win32,
 * system-error-codes--1000-1299-.md), 0 for done.
 */
#ifndef AGENTS_WIN_SC_H
#define AGENTS_WIN_SC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* winsvc.h; the numbers of STATE. */
enum sc_state {
	SC_STOPPED = 1,
	SC_START_PENDING = 2,
	SC_STOP_PENDING = 3,
	SC_RUNNING = 4,
	SC_CONTINUE_PENDING = 5,
	SC_PAUSE_PENDING = 6,
	SC_PAUSED = 7,
};

/* winsvc.h; of START_TYPE. */
enum sc_start { SC_BOOT_START, SC_SYSTEM_START, SC_AUTO_START, SC_DEMAND_START, SC_DISABLED };

/* Exit codes that are told apart; all that have a meaning of their own are in sc_code. */
enum sc_exit {
	SC_OK = 0,
	SC_ACCESS_DENIED = 5,
	SC_DEPENDENTS_RUNNING = 1051,
	SC_INVALID_CONTROL = 1052,
	SC_REQUEST_TIMEOUT = 1053,
	SC_DATABASE_LOCKED = 1055,
	SC_ALREADY_RUNNING = 1056,
	SC_IS_DISABLED = 1058,
	SC_NO_SUCH_SERVICE = 1060,
	SC_CANNOT_ACCEPT = 1061,
	SC_NOT_ACTIVE = 1062,
	SC_LOGON_FAILED = 1069,
	SC_NOT_STARTED = 9009, /* cmd.exe's */
};

struct sc_status {
	enum sc_state state;
	long win32_exit, service_exit; /* of a stopped one: how it ended */
	uint32_t checkpoint;           /* of a pending one: grows while it makes progress */
	uint32_t wait_hint_ms;         /* how long until the next checkpoint, by its own word */
	uint32_t pid;                  /* 0: no process */
};

/* Output of `sc queryex NAME`; false where it is none. */
bool sc_status_read(const char *text, size_t len, struct sc_status *out);

/* Output of `sc qc NAME`: *start, and *command_line of its program (a view; NULL where it is empty). */
bool sc_config_read(const char *text, size_t len, enum sc_start *start, const char **command_line, size_t *command_len);

/* The key name in the output of `sc getkeyname DISPLAY` (a view): what stands behind the "=" of the last line
   that has one. */
bool sc_key_read(const char *text, size_t len, const char **key, size_t *key_len);

/* The next service from *at on in the output of `sc enumdepend NAME`: its key name (a view) and its state; false at the
   end. */
bool sc_dependant_next(const char *text, size_t len, size_t *at, const char **key, size_t *key_len,
		       enum sc_state *state);

const char *sc_state_name(enum sc_state state);
const char *sc_start_name(enum sc_start start);

struct sc_code {
	long code;
	const char *name;    /* of winerror.h */
	const char *meaning; /* "the service is disabled" */
	const char *advice;  /* what a person does, as an order: "enable it …" */
};

/* NULL for a code without a meaning of its own. */
const struct sc_code *sc_code(long code);

/* Is it no answer at all: cmd.exe could not start sc.exe (9009), or it died (an NTSTATUS, which is negative, like 0xC0000142
   where Windows has no room for one more program)? A host under load does that for a moment. */
bool sc_did_not_run(long code);

/* "code 1058, the service is disabled: enable it (sc config NAME start= auto) if it should run". */
#define SC_WORDS_MAX 256
const char *sc_words(long code, char words[SC_WORDS_MAX]);

#endif
