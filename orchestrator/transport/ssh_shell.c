/*
 * What the kinds of shell have in common, and the way from the session's states to the kind.
 */
#include "transport/ssh_shell.h"

#include "base/hash.h"

#include <errno.h>
#include <openssl/rand.h>

static const struct ssh_shell_kind *kind_of(const struct ssh_remote *remote)
{
	return remote->windows ? &ssh_windows_kind : &ssh_posix_kind;
}

const char *ssh_shell_name(const struct ssh_remote *remote)
{
	return kind_of(remote)->name;
}

struct ssh_shell *ssh_shell_new(struct ssh_remote *remote)
{
	return kind_of(remote)->make(remote);
}

void ssh_shell_init(struct ssh_shell *shell, const struct ssh_shell_kind *kind, struct ssh_remote *remote)
{
	unsigned char random[(SSH_NONCE_MAX - 1) / 2];

	if (RAND_bytes(random, sizeof(random)) != 1)
		abort();
	hex_encode(random, sizeof(random), shell->nonce);
	shell->kind = kind;
	shell->remote = remote;
}

void ssh_shell_free(struct ssh_shell *shell)
{
	if (shell)
		shell->kind->free(shell);
}

int ssh_shell_step(struct ssh_shell *shell, struct err *err)
{
	return shell->kind->step(shell, err);
}

bool ssh_shell_ready(const struct ssh_shell *shell)
{
	return shell->ready;
}

bool ssh_shell_ended(const struct ssh_shell *shell)
{
	return shell->ended;
}

void ssh_shell_finish(struct ssh_shell *shell)
{
	shell->kind->finish(shell);
}

struct ssh_request *ssh_shell_running(const struct ssh_shell *shell)
{
	return shell->running;
}

struct ssh_request *ssh_shell_take_running(struct ssh_shell *shell)
{
	struct ssh_request *req = shell->running;

	shell->running = NULL;
	return req;
}

int64_t ssh_shell_deadline(const struct ssh_shell *shell)
{
	return shell->kind->deadline(shell);
}

void ssh_shell_clock(struct ssh_remote *remote, struct ssh_request *req)
{
	int ms = req->request->op->timeout_ms;

	req->began_ms = ssh_remote_now(remote);
	req->deadline_ms = req->began_ms + (ms > 0 ? ms : OP_TIMEOUT_DEFAULT_MS);
}

bool ssh_mark_numbers(const char *text, int64_t *out, int n)
{
	for (int i = 0; i < n; i++) {
		char *end;
		if (i && *text++ != ' ')
			return false;
		if (*text != '-' && (*text < '0' || *text > '9'))
			return false;
		errno = 0;
		out[i] = strtoll(text, &end, 10);
		if (errno || end == text)
			return false;
		text = end;
	}
	return *text == '\0';
}

bool ssh_mark_code(int64_t number)
{
	return number >= INT32_MIN && number <= UINT32_MAX;
}
