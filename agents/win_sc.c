#include "agents/win_sc.h"

#include "agents/win_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- exit codes ------------------------------------------------------------------------------------------------- */

/* winerror.h. What is not here is said by its number. */
static const struct sc_code codes[] = {
    {0, "ERROR_SUCCESS", "done", "go on"},
    {2, "ERROR_FILE_NOT_FOUND", "the service's program is not where the service manager looks for it",
     "repair the client's installation"},
    {3, "ERROR_PATH_NOT_FOUND", "the folder of the service's program is not there", "repair the client's installation"},
    {5, "ERROR_ACCESS_DENIED", "the login may not control the service",
     "log in as a member of the host's Administrators"},
    {87, "ERROR_INVALID_PARAMETER", "the service manager refuses the request", "do it by hand (services.msc)"},
    {122, "ERROR_INSUFFICIENT_BUFFER", "the service's settings are longer than sc.exe reads",
     "look at them by hand (services.msc)"},
    {123, "ERROR_INVALID_NAME", "that is no name of a service", "see `services` in the inventory"},
    {193, "ERROR_BAD_EXE_FORMAT", "the service's program is no program of this Windows",
     "repair the client's installation"},
    {234, "ERROR_MORE_DATA", "more services depend on it than sc.exe lists", "look at them by hand (services.msc)"},
    {1051, "ERROR_DEPENDENT_SERVICES_RUNNING", "services that depend on it are running",
     "stop those first (sc enumdepend NAME), then run cutover again"},
    {1052, "ERROR_INVALID_SERVICE_CONTROL", "the service does not take this request",
     "see in its own log why it cannot be stopped"},
    {1053, "ERROR_SERVICE_REQUEST_TIMEOUT", "the service did not answer in time",
     "see in its own log and in the event log what it is doing"},
    {1054, "ERROR_SERVICE_NO_THREAD", "the service could not begin its work", "free memory on the host"},
    {1055, "ERROR_SERVICE_DATABASE_LOCKED", "the service manager's database is locked",
     "wait for the installer or update that is at work"},
    {1056, "ERROR_SERVICE_ALREADY_RUNNING", "it is running already", "nothing is to be done"},
    {1057, "ERROR_INVALID_SERVICE_ACCOUNT", "the account that it runs as does not exist",
     "set the account again (services.msc, Log On), then start it"},
    {1058, "ERROR_SERVICE_DISABLED", "the service, or a device that it needs, is disabled",
     "enable it (sc config NAME start= auto) if it should run, then start it"},
    {1059, "ERROR_CIRCULAR_DEPENDENCY", "it depends on itself by way of others",
     "repair its dependencies (sc qc NAME)"},
    {1060, "ERROR_SERVICE_DOES_NOT_EXIST", "there is no such service", "see `services` in the inventory"},
    {1061, "ERROR_SERVICE_CANNOT_ACCEPT_CTRL", "the service cannot take a request just now",
     "see in its own log what it is doing"},
    {1062, "ERROR_SERVICE_NOT_ACTIVE", "it has not been started", "nothing is to be done"},
    {1063, "ERROR_FAILED_SERVICE_CONTROLLER_CONNECT", "its program could not reach the service manager",
     "see in the event log why"},
    {1064, "ERROR_EXCEPTION_IN_SERVICE", "the service failed over the request", "see in the event log why"},
    {1065, "ERROR_DATABASE_DOES_NOT_EXIST", "the service manager's database is not there",
     "repair Windows on the host"},
    {1066, "ERROR_SERVICE_SPECIFIC_ERROR", "the service ended with an error of its own",
     "see in its own log and in the event log why, then start it"},
    {1067, "ERROR_PROCESS_ABORTED", "its process ended by surprise",
     "see in its own log and in the event log why, then start it"},
    {1068, "ERROR_SERVICE_DEPENDENCY_FAIL", "a service that it depends on did not start",
     "start that one first (sc qc NAME), then this"},
    {1069, "ERROR_SERVICE_LOGON_FAILED", "the account that it runs as could not log on",
     "give its password again (services.msc, Log On) and start it"},
    {1070, "ERROR_SERVICE_START_HANG", "it hung while starting", "see in its own log and in the event log why"},
    {1072, "ERROR_SERVICE_MARKED_FOR_DELETE", "it is to be deleted",
     "close services.msc and restart the host, or install the client again"},
    {1073, "ERROR_SERVICE_EXISTS", "it exists already", "see `services` in the inventory"},
    {1075, "ERROR_SERVICE_DEPENDENCY_DELETED", "a service that it depends on does not exist or is to be deleted",
     "repair its dependencies (sc qc NAME)"},
    {1079, "ERROR_DIFFERENT_SERVICE_ACCOUNT", "it runs as another account than a service of the same process",
     "set the account again (services.msc, Log On), then start it"},
    {1115, "ERROR_SHUTDOWN_IN_PROGRESS", "the host is shutting down", "run cutover again when it is up"},
    {1722, "RPC_S_SERVER_UNAVAILABLE", "the service manager does not answer", "see whether the host is well"},
    {9009, "MSG_DIR_BAD_COMMAND_OR_FILE", "cmd.exe could not start sc.exe",
     "see whether it is in System32 and whether the host has memory left"},
};

bool sc_did_not_run(long code)
{
	return code == SC_NOT_STARTED || code < 0;
}

const struct sc_code *sc_code(long code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			return &codes[i];
	}
	return NULL;
}

const char *sc_words(long code, char words[SC_WORDS_MAX])
{
	const struct sc_code *known = sc_code(code);

	if (known)
		snprintf(words, SC_WORDS_MAX, "code %ld, %s: %s", code, known->meaning, known->advice);
	else if (code < 0)
		snprintf(words, SC_WORDS_MAX,
			 "code 0x%08lX, the program died before it did anything: see whether the host has memory left",
			 (unsigned long)code & 0xffffffff);
	else
		snprintf(words, SC_WORDS_MAX, "code %ld (`net helpmsg %ld` on the host says what that is)", code, code);
	return words;
}

const char *sc_state_name(enum sc_state state)
{
	switch (state) {
	case SC_STOPPED:
		return "STOPPED";
	case SC_START_PENDING:
		return "START_PENDING";
	case SC_STOP_PENDING:
		return "STOP_PENDING";
	case SC_RUNNING:
		return "RUNNING";
	case SC_CONTINUE_PENDING:
		return "CONTINUE_PENDING";
	case SC_PAUSE_PENDING:
		return "PAUSE_PENDING";
	case SC_PAUSED:
		return "PAUSED";
	}
	return "?";
}

const char *sc_start_name(enum sc_start start)
{
	switch (start) {
	case SC_BOOT_START:
		return "boot";
	case SC_SYSTEM_START:
		return "system";
	case SC_AUTO_START:
		return "automatic";
	case SC_DEMAND_START:
		return "manual";
	case SC_DISABLED:
		return "disabled";
	}
	return "?";
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* `LABEL : VALUE` in one line; views. Indented: a line of a table; else its head. */
struct line {
	bool indented;
	const char *value;
	size_t len;
};

/* The next line with a colon; *blank is set when an empty line came before it. */
static bool next_line(const char *text, size_t len, size_t *at, struct line *out, bool *blank)
{
	const char *line, *colon, *end;
	size_t line_len;

	while (win_line(text, len, at, &line, &line_len)) {
		colon = memchr(line, ':', line_len);
		if (!line_len)
			*blank = true;
		if (!colon)
			continue;
		end = line + line_len;
		out->indented = *line == ' ' || *line == '\t';
		for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
			;
		out->value = colon;
		out->len = (size_t)(end - colon);
		return true;
	}
	return false;
}

/* The number at the beginning of the value, decimal or with 0x; false where there is none. */
static bool number_of(const struct line *line, long long *number)
{
	char digits[24], *end;
	size_t len = line->len < sizeof(digits) - 1 ? line->len : sizeof(digits) - 1;

	memcpy(digits, line->value, len);
	digits[len] = '\0';
	*number = strtoll(digits, &end, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
	return end != digits && *number >= INT32_MIN && *number <= UINT32_MAX;
}

/* Lines of one table, from its first indented one on. */
static size_t read_table(const char *text, size_t len, size_t *at, struct line *lines, size_t max)
{
	struct line line;
	bool blank = false;
	size_t n = 0, here = *at;

	while (n < max && next_line(text, len, &here, &line, &blank)) {
		if (line.indented)
			lines[n++] = line;
		else if (n)
			break;
		*at = here;
	}
	return n;
}

static bool state_of(const struct line *line, enum sc_state *state)
{
	long long number;

	if (!number_of(line, &number) || number < SC_STOPPED || number > SC_PAUSED)
		return false;
	*state = (enum sc_state)number;
	return true;
}

bool sc_status_read(const char *text, size_t len, struct sc_status *out)
{
	/* TYPE, STATE, WIN32_EXIT_CODE, SERVICE_EXIT_CODE, CHECKPOINT, WAIT_HINT, PID */
	struct line lines[7];
	long long numbers[7] = {0};
	size_t at = 0;

	if (read_table(text, len, &at, lines, 7) != 7 || !state_of(&lines[1], &out->state))
		return false;
	for (size_t i = 2; i < 7; i++) {
		if (!number_of(&lines[i], &numbers[i]))
			return false;
	}
	out->win32_exit = (long)numbers[2];
	out->service_exit = (long)numbers[3];
	out->checkpoint = (uint32_t)numbers[4];
	out->wait_hint_ms = (uint32_t)numbers[5];
	out->pid = (uint32_t)numbers[6];
	return true;
}

bool sc_config_read(const char *text, size_t len, enum sc_start *start, const char **command_line, size_t *command_len)
{
	/* TYPE, START_TYPE, ERROR_CONTROL, BINARY_PATH_NAME */
	struct line lines[4];
	long long number;
	size_t at = 0;

	if (read_table(text, len, &at, lines, 4) != 4 || !number_of(&lines[1], &number) || number < SC_BOOT_START ||
	    number > SC_DISABLED)
		return false;
	*start = (enum sc_start)number;
	*command_line = lines[3].len ? lines[3].value : NULL;
	*command_len = lines[3].len;
	return true;
}

bool sc_key_read(const char *text, size_t len, const char **key, size_t *key_len)
{
	const char *line, *equals;
	size_t at = 0, line_len;
	bool found = false;

	while (win_line(text, len, &at, &line, &line_len)) {
		equals = memchr(line, '=', line_len);
		if (!equals)
			continue;
		*key = equals + 1 + strspn(equals + 1, " \t");
		found = *key < line + line_len;
		*key_len = found ? (size_t)(line + line_len - *key) : 0;
	}
	return found;
}

/* Each service: an empty line, its key name, its display name, and its table (TYPE, STATE …). */
bool sc_dependant_next(const char *text, size_t len, size_t *at, const char **key, size_t *key_len,
		       enum sc_state *state)
{
	struct line line, table[16];
	bool blank = false, named = false;
	size_t here = *at;

	while (next_line(text, len, &here, &line, &blank)) {
		if (line.indented) {
			size_t from = *at;

			if (!named || read_table(text, len, &from, table, 16) < 2 || !state_of(&table[1], state))
				return false;
			*at = from;
			return true;
		}
		if (blank || !named) {
			*key = line.value;
			*key_len = line.len;
			named = true;
		}
		blank = false;
		*at = here;
	}
	return false;
}
