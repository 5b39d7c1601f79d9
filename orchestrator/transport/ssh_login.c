/*
 * From the version lines to a host that is known: key exchange, host key; logging in is ssh_auth.c. The happy path is one
 * connection. It fails with E_KEX, E_HOSTKEY, or as the connection does; a host key of another type than the one that is
 * pinned asks for one more connection. There is nothing to close: the session is freed by ssh_session.c.
 */
#include "transport/ssh_remote.h"

#include "transport/ssh_wire.h"

#define VERSION_LINE "SSH-2.0-cutover_" CUTOVER_VERSION

enum { SLOT_MS = 2000 };

/* Our version line goes out as soon as we are connected (see ssh_io.h). */
void ssh_login_send_version(struct ssh_remote *r)
{
	ssh_io_send(&r->io, VERSION_LINE "\r\n", sizeof(VERSION_LINE "\r\n") - 1);
}

static const char *last_error(struct ssh_remote *r)
{
	char *text = NULL;

	libssh2_session_last_error(r->session, &text, NULL, 0);
	return text ? text : "";
}

static int make_session(struct ssh_remote *r, struct err *err)
{
	struct buf preference;
	int rc;

	r->session = ssh_io_session(&r->io, VERSION_LINE, &r->banner.in);
	if (!r->session)
		return err_set(err, E_IO, "libssh2 has no memory for a session");
	buf_init(&preference, 512);
	ssh_trust_preference(&r->trust, r->transport->rsa_sha2, &preference);
	rc = libssh2_session_method_pref(r->session, LIBSSH2_METHOD_HOSTKEY, buf_str(&preference));
	buf_release(&preference);
	if (rc)
		return err_set(err, E_KEX, "libssh2 %s cannot do the host key types that are pinned: %s",
			       libssh2_version(0), last_error(r));
	libssh2_keepalive_config(r->session, 1, 2);
	r->in_handshake = true;
	r->slot_until_ms = ssh_remote_now(r) + SLOT_MS;
	return 0;
}

/* libssh2 says no more than "unable to exchange encryption keys". */
static int kex_failed(struct ssh_remote *r, struct err *err)
{
	struct err before = {.code = 0};

	switch (ssh_trust_no_common_type(&r->trust, &before)) {
	case HOSTKEY_REFUSED:
		*err = before;
		if (!r->transport->rsa_sha2)
			err_set(err, E_HOSTKEY, "%.800s; an RSA host key could not be looked at with libssh2 %s",
				before.text, libssh2_version(0));
		return E_HOSTKEY;
	case HOSTKEY_TRY_ANOTHER:
		r->reconnect = true;
		return E_KEX;
	case HOSTKEY_ACCEPTED:
		break;
	}
	return err_set(err, E_KEX,
		       "no common algorithms with \"%s\"; libssh2 %s %s; look at KexAlgorithms, HostKeyAlgorithms, "
		       "Ciphers and MACs "
		       "of the host's sshd -T",
		       r->banner.version, libssh2_version(0),
		       r->transport->rsa_sha2
			   ? "is used here"
			   : "is used here, which cannot do RSA host keys with SHA-2 (1.11 can; give the "
			     "host an ed25519 key), ETM MACs, AES-GCM and chacha20");
}

int ssh_login_handshake(struct ssh_remote *r, struct err *err)
{
	int rc = 0;

	if (!r->session)
		rc = make_session(r, err);
	if (rc)
		return rc;
	rc = libssh2_session_handshake(r->session, r->io.fd);
	if (rc == LIBSSH2_ERROR_EAGAIN && !r->io.cut) {
		/* Who waits for the far side uses no CPU: others may begin. */
		if (ssh_remote_now(r) >= r->slot_until_ms)
			ssh_release_admission(r);
		return 0;
	}
	r->in_handshake = false;
	ssh_release_admission(r);
	if (rc == 0)
		return 1;
	if (!r->io.cut && (rc == LIBSSH2_ERROR_KEX_FAILURE || rc == LIBSSH2_ERROR_METHOD_NONE ||
			   rc == LIBSSH2_ERROR_METHOD_NOT_SUPPORTED))
		return kex_failed(r, err);
	return ssh_remote_lost(r, rc, err);
}

int ssh_login_hostkey(struct ssh_remote *r, struct err *err)
{
	char fingerprint[SSH_FINGERPRINT_MAX];
	size_t len = 0;
	int type;
	const char *blob = libssh2_session_hostkey(r->session, &len, &type);
	struct wire_str name;
	struct wire w;

	if (!blob || !len)
		return err_set(err, E_PROTOCOL, "the server showed no host key");
	buf_clear(&r->host_key_blob);
	buf_add(&r->host_key_blob, blob, len);
	w = wire_over(blob, len);
	name = wire_string(&w);
	snprintf(r->host_key, sizeof(r->host_key), "%.*s %s", name.len > 40 ? 40 : (int)name.len,
		 (const char *)name.data, ssh_fingerprint(blob, len, fingerprint));
	switch (ssh_trust_judge(&r->trust, blob, len, err)) {
	case HOSTKEY_ACCEPTED:
		return 1;
	case HOSTKEY_TRY_ANOTHER:
		r->reconnect = true;
		return E_HOSTKEY;
	case HOSTKEY_REFUSED:
		break;
	}
	return E_HOSTKEY;
}
