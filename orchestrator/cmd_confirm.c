/*
 * cutover confirm: a person's word about a step. While a controller runs it is told by the control socket, so that it
 * reacts at once; else the word is written into the state file here. Both judge by engine/confirm.h.
 *
 * The lock decides who writes: where the socket does not answer, the file is opened; where the file is locked (a
 * controller that begins or ends just now), the socket is tried again, until DEADLINE_MS have passed.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "cmd.h"
#include "engine/confirm.h"
#include "engine/control.h"
#include "exit.h"
#include "terminal.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_MS 5000
#define RETRY_MS 100
#define ANSWER_MAX_BYTES ((size_t)64 << 10)

static int64_t now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

/* The strings of a struct confirm that the options do not hold. */
struct own {
	char *os_user, *ssh_origin, *evidence_path;
};

static void own_release(struct own *own)
{
	free(own->os_user);
	free(own->ssh_origin);
	free(own->evidence_path);
}

static enum confirm_result result_of(enum option_result result)
{
	switch (result) {
	case RESULT_OK:
		return CONFIRM_OK;
	case RESULT_WRONG:
		return CONFIRM_WRONG;
	case RESULT_NOT_NEEDED:
		return CONFIRM_NOT_NEEDED;
	case RESULT_NONE:
		break;
	}
	return CONFIRM_RESULTS;
}

static int gather(const struct options *o, struct own *own, struct confirm *c, struct err *err)
{
	const struct passwd *user = getpwuid(getuid());
	const char *origin = getenv("SSH_CONNECTION");

	own->os_user = user ? str_dup(user->pw_name) : str_fmt("uid %u", (unsigned)getuid());
	own->ssh_origin = origin ? str_ndup(origin, strcspn(origin, " ")) : NULL;
	if (o->evidence_path) {
		own->evidence_path = realpath(o->evidence_path, NULL);
		if (!own->evidence_path)
			return err_errno(err, errno, "the evidence %s cannot be read", o->evidence_path);
	}
	*c = (struct confirm){ .tenant = o->tenant,
			       .step = o->step,
			       .target = o->target,
			       .result = result_of(o->result),
			       .by = o->by,
			       .note = o->note,
			       .os_user = own->os_user,
			       .ssh_origin = own->ssh_origin,
			       .evidence_path = own->evidence_path };
	return 0;
}

/* ---- by the controller that runs --------------------------------------------------------------------------------- */

/* E_NOTFOUND: nobody listens there. */
static int connect_to(const char *state_path, int *fd, struct err *err)
{
	char *path = journal_socket_path(state_path);
	struct sockaddr_un address;
	int folder, rc = control_address(path, &address, &folder, err);

	if (rc)
		goto out;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0) {
		rc = err_errno(err, errno, "no socket");
	} else if (connect(*fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		rc = errno == ENOENT || errno == ECONNREFUSED
			     ? err_set(err, E_NOTFOUND, "no controller listens")
			     : err_errno(err, errno, "the controller cannot be reached at %s", path);
		close(*fd);
	}
	if (folder >= 0)
		close(folder);
out:
	free(path);
	return rc == E_LIMIT ? err_set(err, E_NOTFOUND, "no controller listens at a name of that length") : rc;
}

static int wait_for(int fd, short events, int64_t until_ms, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = until_ms - now_ms();

	if (left > 0 && poll(&p, 1, (int)left) > 0)
		return 0;
	return err_set(
	    err, E_TIMEOUT,
	    "the controller did not answer within %d s; whether it took the word is not known: `cutover why` "
	    "tells",
	    DEADLINE_MS / 1000);
}

static int send_line(int fd, const char *line, int64_t until_ms, struct err *err)
{
	size_t len = strlen(line);

	while (len) {
		ssize_t n;
		int rc = wait_for(fd, POLLOUT, until_ms, err);
		if (rc)
			return rc;
		n = send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return err_errno(err, errno, "the controller went away");
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int receive_line(int fd, struct buf *line, int64_t until_ms, struct err *err)
{
	char bytes[4096];

	while (!line->len || !memchr(line->data, '\n', line->len)) {
		ssize_t n;
		int rc = wait_for(fd, POLLIN, until_ms, err);
		if (rc)
			return rc;
		n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0 || !buf_add(line, bytes, (size_t)n))
			return err_set(
			    err, E_PROTOCOL,
			    "the controller hung up without an answer; whether it took the word is not known: "
			    "`cutover why` tells");
	}
	return 0;
}

static int read_answer(const struct buf *line, char **summary, struct err *err)
{
	json_t *answer = json_loadb(line->data, line->len, 0, NULL);
	const char *text = json_string_value(json_object_get(answer, "text"));
	const char *name = json_string_value(json_object_get(answer, "code"));
	int code = name ? err_code(name) : 0, rc = 0;

	if (!json_is_boolean(json_object_get(answer, "ok")))
		rc = err_set(err, E_PROTOCOL, "the controller's answer is not understood; is it of another version?");
	else if (json_is_false(json_object_get(answer, "ok")))
		rc = err_set(err, code ? code : E_INVAL, "%s", text ? text : "the controller refused");
	else
		*summary = str_dup(text ? text : "taken");
	json_decref(answer);
	return rc;
}

/* E_NOTFOUND from connecting alone (*reached tells): nobody listens. */
static int ask_controller(const struct options *o, const struct confirm *c, bool *reached, char **summary,
			  struct err *err)
{
	json_t *request = confirm_to_json(c);
	char *dump = request ? json_dumps(request, JSON_COMPACT) : NULL;
	char *text = dump ? str_fmt("%s\n", dump) : NULL;
	struct buf answer = { .max = ANSWER_MAX_BYTES };
	int64_t until_ms = now_ms() + DEADLINE_MS;
	int fd = -1, rc = text ? 0 : err_set(err, E_INVAL, "the name, the note or a path is not UTF-8");

	json_decref(request);
	free(dump);
	*reached = rc != 0;
	if (rc == 0)
		rc = connect_to(o->state_path, &fd, err);
	if (rc == 0) {
		*reached = true;
		rc = send_line(fd, text, until_ms, err);
		if (rc == 0)
			rc = receive_line(fd, &answer, until_ms, err);
		if (rc == 0)
			rc = read_answer(&answer, summary, err);
		close(fd);
	}
	buf_release(&answer);
	free(text);
	return rc;
}

/* ---- by ourselves ------------------------------------------------------------------------------------------------ */

static int keep_procedure(const struct journal_entry *entry, void *arg)
{
	char **name = arg;

	if (*entry->tenant && *entry->procedure) {
		free(*name);
		*name = str_dup(entry->procedure);
	}
	return 0;
}

static int write_word(struct journal *j, struct journal_reader *reader, const struct confirm *c, char **summary,
		      struct err *err)
{
	struct rows rows;
	struct confirmation made = { 0 };
	char *procedure = NULL;
	int rc;

	rows_init(&rows);
	rc = rows_load(&rows, reader, err);
	if (rc == 0)
		rc = journal_read(reader, c->tenant, 0, keep_procedure, &procedure, err);
	if (rc == 0)
		rc = confirm_apply(&rows, c, clock_wall_ms(&clock_system), &made, err);
	for (size_t i = 0; rc == 0 && i < made.n; i++)
		made.entries[i].procedure = procedure;
	if (rc == 0)
		rc = journal_append_now(j, made.entries, made.blobs, made.n, err);
	if (rc == 0)
		*summary = str_dup(made.summary);
	confirmation_release(&made);
	rows_release(&rows);
	free(procedure);
	return rc;
}

static int write_ourselves(const struct options *o, const struct confirm *c, char **summary, struct err *err)
{
	struct journal *j = NULL;
	struct journal_reader *reader = NULL;
	int rc = journal_open(NULL, o->state_path, JOURNAL_MUST_EXIST, &j, err);

	if (rc == 0)
		rc = journal_reader_open(o->state_path, &reader, err);
	if (rc == 0)
		rc = write_word(j, reader, c, summary, err);
	if (reader)
		journal_reader_close(reader);
	if (j)
		journal_close_now(j);
	return rc;
}

static int say_it(const struct options *o, const struct confirm *c, char **summary, struct err *err)
{
	int64_t until_ms = now_ms() + DEADLINE_MS;
	bool reached;
	int rc;

	for (;;) {
		rc = ask_controller(o, c, &reached, summary, err);
		if (!reached && rc == E_NOTFOUND)
			rc = write_ourselves(o, c, summary, err);
		if (rc != E_LOCKED || now_ms() >= until_ms)
			return rc;
		poll(NULL, 0, RETRY_MS);
	}
}

int cmd_confirm(const struct options *o)
{
	struct own own = { 0 };
	struct confirm c;
	struct err err = { 0 };
	char *summary = NULL;
	int rc = gather(o, &own, &c, &err);

	if (rc == 0)
		rc = say_it(o, &c, &summary, &err);
	if (rc == 0)
		terminal_say("%s", summary);
	else
		terminal_error("%s", err.text);
	free(summary);
	own_release(&own);
	/* The controller holds the state file and does not answer: the same as a lock. */
	return rc == E_TIMEOUT || rc == E_PROTOCOL ? EXIT_LOCKED : exit_for(rc);
}
