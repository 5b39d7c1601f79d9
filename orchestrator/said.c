/*
 * The lock decides who writes: where the socket does not answer, the file is opened; where the file is locked (a
 * controller that begins or ends just now), the socket is tried again, until the deadline has passed.
 */
#include "said.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/control.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETRY_MS 100
#define ANSWER_MAX_BYTES ((size_t)1 << 20)

static int64_t now_ms(void)
{
	return clock_mono_ms(&clock_system);
}

/* ---- who says it ------------------------------------------------------------------------------------------------- */

void said_init(struct said *said, const char *state_path)
{
	const struct passwd *user = getpwuid(getuid());
	const char *origin = getenv("SSH_CONNECTION");

	*said = (struct said){ .state_path = state_path, .deadline_ms = SAID_DEADLINE_MS };
	said->os_user = user ? str_dup(user->pw_name) : str_fmt("uid %u", (unsigned)getuid());
	said->ssh_origin = origin ? str_ndup(origin, strcspn(origin, " ")) : NULL;
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
	return err_set(err, E_TIMEOUT, "the controller did not answer");
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

static int read_answer(const struct buf *line, struct said *said, struct err *err)
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
		said->summary = str_dup(text ? text : "taken");
	if (said->answer)
		json_decref(said->answer);
	said->answer = answer;
	return rc;
}

/* E_NOTFOUND from connecting alone (*reached tells): nobody listens. */
static int ask_controller(struct said *said, const char *line, int64_t until_ms, bool *reached, struct err *err)
{
	struct buf answer = { .max = ANSWER_MAX_BYTES };
	int fd = -1, rc = connect_to(said->state_path, &fd, err);

	*reached = rc == 0;
	if (rc)
		return rc;
	rc = send_line(fd, line, until_ms, err);
	if (rc == 0)
		rc = receive_line(fd, &answer, until_ms, err);
	if (rc == 0)
		rc = read_answer(&answer, said, err);
	close(fd);
	buf_release(&answer);
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

int said_procedure(struct journal_reader *reader, const char *tenant, char **name, struct err *err)
{
	*name = NULL;
	return journal_read(reader, tenant, 0, keep_procedure, name, err);
}

static int write_ourselves(struct said *said, struct err *err)
{
	struct journal *j = NULL;
	struct journal_reader *reader = NULL;
	int rc = journal_open(NULL, said->state_path, JOURNAL_MUST_EXIST, &j, err);

	if (rc == 0)
		rc = journal_reader_open(said->state_path, &reader, err);
	if (rc == 0)
		rc = said->write(said, j, reader, err);
	if (reader)
		journal_reader_close(reader);
	if (j)
		journal_close_now(j);
	return rc;
}

int said_pass_on(struct said *said, struct err *err)
{
	int64_t until_ms = now_ms() + said->deadline_ms;
	char *dump = said->request ? json_dumps(said->request, JSON_COMPACT) : NULL;
	char *line = dump ? str_fmt("%s\n", dump) : NULL;
	int rc = line ? E_LOCKED : err_set(err, E_INVAL, "the name, the note or a path is not UTF-8");

	free(dump);
	while (rc == E_LOCKED) {
		bool reached;
		rc = ask_controller(said, line, until_ms, &reached, err);
		if (!reached && rc == E_NOTFOUND)
			rc = write_ourselves(said, err);
		if (rc == E_TIMEOUT)
			rc = err_set(err, E_TIMEOUT,
				     "the controller did not answer within %d s; whether it took the word is not known: "
				     "`cutover why` tells",
				     said->deadline_ms / 1000);
		if (rc != E_LOCKED || now_ms() >= until_ms)
			break;
		poll(NULL, 0, RETRY_MS);
	}
	free(line);
	return rc;
}

void said_release(struct said *said)
{
	json_decref(said->request);
	json_decref(said->answer);
	free(said->summary);
	free(said->os_user);
	free(said->ssh_origin);
}
