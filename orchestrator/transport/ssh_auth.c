/*
 * Logging in, once the host is known. The happy path is one key, signed with by us or by an agent, and one request. A
 * certificate is shown before its plain key. Where that is refused (or there is none) the server is asked what it allows,
 * and a password of the inventory is the last resort, if it is among that. It fails with E_AUTH, with E_SIGN where our own
 * side cannot sign, or as the connection does. There is nothing to close; whoever tears down cancels the signature.
 *
 * At most four requests are refused (certificate, key, the question what is allowed, password), in one connection: sshd
 * allows six (MaxAuthTries), and one such connection costs a penalty of 5 s where a ban begins at 15 (PerSourcePenalties).
 */
#include "transport/ssh_remote.h"

#include "base/clock.h"
#include "base/log.h"

/* ---- before the first connection --------------------------------------------------------------------------------- */

int ssh_auth_key(struct ssh_remote *r, struct err *err)
{
	int rc;

	if (!r->identity)
		return 1;
	switch (ssh_identity_state(r->identity, err)) {
	case IDENTITY_LOADING:
		ssh_identity_await(r->identity, &r->key_wait);
		return 0;
	case IDENTITY_FAILED:
		return err->code;
	case IDENTITY_READY:
		break;
	}
	rc = ssh_identity_certificate(r->identity, clock_wall_ms(&clock_system), &r->cert, &r->cert_note, err);
	if (r->cert_note.code)
		log_debug("%s: %s", r->label, r->cert_note.text);
	return rc ? rc : 1;
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

static const char *last_error(struct ssh_remote *r)
{
	char *text = NULL;

	libssh2_session_last_error(r->session, &text, NULL, 0);
	return text ? text : "";
}

bool ssh_auth_signing(const struct ssh_remote *r)
{
	return r->signing.state == SIGNING_ASKED;
}

/* libssh2's callback. It frees the signature by free(). While an agent is asked the agent's time counts, not the host's. */
static int sign(LIBSSH2_SESSION *session, unsigned char **sig, size_t *sig_len, const unsigned char *data, size_t len,
		void **abstract)
{
	struct ssh_remote *r = (struct ssh_remote *)abstract;
	struct buf out = BUF_INIT;
	int rc = ssh_signing_step(&r->signing, r->identity, data, len, &out, &r->sign_err);

	(void)session;
	r->deadline_ms = rc ? ssh_remote_now(r) + r->budgets.auth_ms : 0;
	if (rc <= 0) {
		buf_release(&out);
		return rc ? -1 : LIBSSH2_ERROR_EAGAIN;
	}
	*sig_len = out.len;
	*sig = (unsigned char *)buf_detach(&out);
	return 0;
}

static void note_refusal(struct ssh_remote *r, const char *what, const char *how)
{
	size_t len = strlen(r->auth_detail);

	snprintf(r->auth_detail + len, sizeof(r->auth_detail) - len, "%s%s: %s", len ? "; " : "", what, how);
}

/* E_AUTH: refused, the connection stands and can be asked what else there is. */
static int login_by_key(struct ssh_remote *r, struct err *err)
{
	const struct buf *blob = r->cert ? &r->cert->blob
					 : ssh_key_blob(ssh_identity_key(r->identity), !r->transport->rsa_sha2);
	int rc = libssh2_userauth_publickey(r->session, r->user, (const unsigned char *)blob->data, blob->len, sign,
					    (void **)r);

	if (rc == 0)
		return 1;
	if (rc == LIBSSH2_ERROR_EAGAIN && !r->io.cut)
		return 0;
	if (r->sign_err.code) {
		*err = r->sign_err;
		return err->code;
	}
	if (r->io.cut)
		return ssh_remote_lost(r, rc, err);
	note_refusal(r, r->cert ? "certificate" : "key", last_error(r));
	return err_set(err, E_AUTH, "%s", r->auth_detail);
}

int ssh_auth_login(struct ssh_remote *r, struct err *err)
{
	int rc;

	if (!r->identity)
		return err_set(err, E_AUTH, "there is no key");
	rc = login_by_key(r, err);
	if (rc != E_AUTH || !r->cert)
		return rc;
	log_debug("%s: the certificate was refused, the plain key is next", r->label);
	err_set(&r->cert_note, E_AUTH, "the certificate \"%s\" was refused, too", r->cert->id);
	r->cert = NULL;
	return login_by_key(r, err);
}

/* ---- what else ----------------------------------------------------------------------------------------------------- */

static bool allows(const char *methods, const char *method)
{
	for (const char *at = methods; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, method, strlen(method)) == 0 && (!at[strlen(method)] || at[strlen(method)] == ','))
			return true;
	}
	return false;
}

/* Shall the password be given? `why` says why not, where there is one to give. */
static bool may_give_password(struct ssh_remote *r, const char *methods, const char **why)
{
	*why = "";
	if (!r->password.len)
		return false;
	if (r->trust.is_new) {
		*why = "; the password is not given to a host whose key nobody has confirmed: pin its key first (host_key)";
		return false;
	}
	r->by_prompt = !allows(methods, "password");
	if (r->by_prompt && !allows(methods, "keyboard-interactive")) {
		*why = "; it does not ask for a password";
		return false;
	}
	/* libssh2 below 1.11 reads beyond the questions' packet where a server gives a wrong length. */
	if (r->by_prompt && !r->transport->rsa_sha2) {
		*why = "; the password was not given, since answering questions safely needs libssh2 1.11: see "
		       "PasswordAuthentication of its sshd -T";
		return false;
	}
	return true;
}

static int refused(struct ssh_remote *r, const char *methods, const char *why, struct err *err)
{
	const struct ssh_key *key = r->identity ? ssh_identity_key(r->identity) : NULL;
	const char *said = methods ? methods : "what it does not say";

	if (!key)
		return err_set(err, E_AUTH, "the login as %s by password is not possible: the server allows %s%s; name a private "
					    "key as identity",
			       r->user, said, why);
	if (methods && !allows(methods, "publickey") && !*why)
		why = "; a key is not among them: see PubkeyAuthentication and AuthenticationMethods of its sshd -T";
	return err_set(err, E_AUTH,
		       "the login as %s with the key %s %s was refused (%s); the server allows %s%s; is that key in the "
		       "account's authorized_keys, and is the account neither locked nor left out by AllowUsers?%s%s",
		       r->user, ssh_key_type(key), ssh_key_fingerprint(key), r->auth_detail, said, why,
		       r->cert_note.code ? " Note: " : "", r->cert_note.code ? r->cert_note.text : "");
}

/* What the server allows is asked now, not before: the question is a login attempt, too. */
int ssh_auth_refused(struct ssh_remote *r, struct err *err)
{
	const char *methods = libssh2_userauth_list(r->session, r->user, (unsigned)strlen(r->user));
	const char *why;

	if (!methods && !r->io.cut && libssh2_session_last_errno(r->session) == LIBSSH2_ERROR_EAGAIN)
		return 0;
	/* It lets everybody in. */
	if (!methods && libssh2_userauth_authenticated(r->session))
		return 1;
	if (!methods && r->io.cut && !r->identity)
		return ssh_remote_lost(r, LIBSSH2_ERROR_SOCKET_DISCONNECT, err);
	if (methods && may_give_password(r, methods, &why))
		return 1;
	return refused(r, methods, methods ? why : "", err);
}

/* ---- the password -------------------------------------------------------------------------------------------------- */

/* Only one question is answered, once: a second one asks for something that we do not have (a code, a new password). */
static void answer(const char *name, int name_len, const char *instruction, int instruction_len, int prompts_n,
		   const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts, LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses,
		   void **abstract)
{
	struct ssh_remote *r = CONTAINER_OF(*abstract, struct ssh_remote, io);

	(void)name;
	(void)name_len;
	(void)instruction;
	(void)instruction_len;
	(void)prompts;
	if (prompts_n == 1 && !r->prompts) {
		responses[0].text = str_dup(buf_str(&r->password));
		responses[0].length = (unsigned)r->password.len;
	}
	r->prompts += prompts_n > 0 ? (unsigned)prompts_n : 0;
}

static int give_password(struct ssh_remote *r)
{
	unsigned user_len = (unsigned)strlen(r->user);

	if (r->by_prompt)
		return libssh2_userauth_keyboard_interactive_ex(r->session, r->user, user_len, answer);
	return libssh2_userauth_password_ex(r->session, r->user, user_len, r->password.data, (unsigned)r->password.len, NULL);
}

static int password_failed(struct ssh_remote *r, int rc, struct err *err)
{
	if (r->io.cut)
		return ssh_remote_lost(r, rc, err);
	if (rc == LIBSSH2_ERROR_PASSWORD_EXPIRED)
		return err_set(err, E_AUTH, "the password of %s has expired: a person has to set a new one on the host", r->user);
	if (r->prompts > 1)
		return err_set(err, E_AUTH,
			       "the login as %s by password was refused: the server asks for more than a password (%u questions, "
			       "perhaps a code), which nobody here can answer; use a key",
			       r->user, r->prompts);
	return err_set(err, E_AUTH, "the login as %s by password was refused (%s%s%s); is it the right one, and is the account "
				    "neither locked nor left out by AllowUsers?",
		       r->user, r->auth_detail, r->auth_detail[0] ? "; password: " : "", last_error(r));
}

int ssh_auth_password(struct ssh_remote *r, struct err *err)
{
	int rc = libssh2_userauth_authenticated(r->session) ? 0 : give_password(r);

	if (rc == LIBSSH2_ERROR_EAGAIN && !r->io.cut)
		return 0;
	if (rc == 0)
		return 1;
	return password_failed(r, rc, err);
}
