#include "transport/ssh_cert.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <inttypes.h>

#define SUFFIX "-cert-v01@openssh.com"

enum { CERT_USER = 1, CERT_HOST = 2, PRINCIPALS_MAX = 512 };

/* The fields of the plain key, in the order of both blobs. */
static const struct {
	const char *type;
	int fields;
} kinds[] = {
    {"ssh-ed25519", 1},		{"ecdsa-sha2-nistp256", 2}, {"ecdsa-sha2-nistp384", 2},
    {"ecdsa-sha2-nistp521", 2}, {"ssh-rsa", 2},
};

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static struct wire_str next_word(const char **at, const char *end)
{
	const char *from;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	from = *at;
	while (*at < end && **at != ' ' && **at != '\t' && **at != '\r')
		(*at)++;
	return (struct wire_str){(const unsigned char *)from, (size_t)(*at - from)};
}

static bool read_line(const char *at, const char *end, struct buf *blob)
{
	struct wire_str type = next_word(&at, end), key = next_word(&at, end), inside;
	struct wire w;

	buf_clear(blob);
	if (!type.len || !key.len || !wire_base64_decode((const char *)key.data, key.len, blob))
		return false;
	w = wire_over(blob->data, blob->len);
	inside = wire_string(&w);
	return !w.failed && inside.len == type.len && memcmp(inside.data, type.data, type.len) == 0;
}

bool ssh_public_line(const char *bytes, size_t len, struct buf *blob)
{
	const char *at = bytes, *end = bytes + len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
		const char *first = at;
		struct wire_str word = next_word(&first, stop);

		if (word.len && *word.data != '#')
			return read_line(at, stop, blob);
		at = newline ? newline + 1 : end;
	}
	return false;
}

/* ---- certificates ------------------------------------------------------------------------------------------------ */

static bool read_key(struct wire *w, struct wire_str type, struct ssh_cert *cert)
{
	const size_t suffix = sizeof(SUFFIX) - 1;

	if (type.len <= suffix || memcmp(type.data + type.len - suffix, SUFFIX, suffix) != 0)
		return false;
	type.len -= suffix;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!wire_is(type, kinds[i].type))
			continue;
		wire_string(w); /* nonce */
		wire_put_text(&cert->key, kinds[i].type);
		for (int k = 0; k < kinds[i].fields; k++) {
			struct wire_str field = wire_string(w);
			wire_put_string(&cert->key, field.data, field.len);
		}
		cert->ecdsa = strncmp(kinds[i].type, "ecdsa", 5) == 0;
		return !w->failed;
	}
	return false;
}

static void read_principals(struct wire_str list, struct buf *out)
{
	struct wire w = wire_over(list.data, list.len);

	buf_init(out, PRINCIPALS_MAX);
	while (!w.failed && w.at < w.end) {
		struct wire_str name = wire_string(&w);
		if (!w.failed)
			buf_addf(out, "%s%.*s", out->len ? ", " : "", name.len > 64 ? 64 : (int)name.len,
				 (const char *)name.data);
	}
}

/* Behind the key: serial, kind, id, principals, from, until, critical options, extensions, reserved, CA's key, signature. */
static bool read_cert(struct ssh_cert *cert)
{
	struct wire w = wire_over(cert->blob.data, cert->blob.len);
	struct wire_str type = wire_string(&w), id, principals;

	if (!read_key(&w, type, cert))
		return false;
	wire_u64(&w);
	cert->kind = wire_u32(&w);
	id = wire_string(&w);
	principals = wire_string(&w);
	cert->from_s = wire_u64(&w);
	cert->until_s = wire_u64(&w);
	for (int i = 0; i < 5; i++)
		wire_string(&w);
	if (w.failed || w.at != w.end)
		return false;
	snprintf(cert->id, sizeof(cert->id), "%.*s", id.len > 100 ? 100 : (int)id.len, (const char *)id.data);
	read_principals(principals, &cert->principals);
	return true;
}

int ssh_cert_parse(const void *bytes, size_t len, const char *name, struct ssh_cert **out, struct err *err)
{
	struct ssh_cert *cert = NEW(struct ssh_cert);

	if (!ssh_public_line(bytes, len, &cert->blob) || !read_cert(cert)) {
		ssh_cert_free(cert);
		return err_set(err, E_SIGN,
			       "%s is no certificate that can be used: one line as ssh-keygen -s writes it, of an ed25519, "
			       "ecdsa or rsa key",
			       name);
	}
	*out = cert;
	return 0;
}

void ssh_cert_free(struct ssh_cert *cert)
{
	if (!cert)
		return;
	buf_release(&cert->blob);
	buf_release(&cert->key);
	buf_release(&cert->principals);
	free(cert);
}

static int outside(const struct ssh_cert *cert, uint64_t now_s, const char *name, struct err *err)
{
	uint64_t edge = now_s < cert->from_s ? cert->from_s : cert->until_s;
	char when[TIME_TEXT_MAX] = "a time that no clock shows";

	if (edge < UINT64_C(253402300800)) /* the year 10000 */
		time_format((int64_t)edge * 1000, 0, when);
	return err_set(err, E_SIGN, "the certificate %s (\"%s\") %s %s; have it issued anew, and see that the clock is right", name,
		       cert->id, now_s < cert->from_s ? "is not valid before" : "has expired at", when);
}

int ssh_cert_check(const struct ssh_cert *cert, const struct ssh_key *key, int64_t wall_ms, bool all_kinds,
		   const char *name, struct err *err)
{
	const struct buf *blob = ssh_key_blob(key, false);
	uint64_t now_s = wall_ms > 0 ? (uint64_t)wall_ms / 1000 : 0;

	if (cert->kind != CERT_USER)
		return err_set(err, E_SIGN, "the certificate %s (\"%s\") is %s, not one of a user", name, cert->id,
			       cert->kind == CERT_HOST ? "one of a host" : "of an unknown kind");
	if (!buf_equals(&cert->key, blob->data, blob->len))
		return err_set(err, E_SIGN, "the certificate %s (\"%s\") is not for the key %s", name, cert->id,
			       ssh_key_fingerprint(key));
	if (now_s < cert->from_s || now_s >= cert->until_s)
		return outside(cert, now_s, name, err);
	if (!all_kinds && !cert->ecdsa)
		return err_set(err, E_SIGN,
			       "the certificate %s (\"%s\") of an %s key needs libssh2 1.11 (Debian 13); with the one here only "
			       "those of ecdsa keys can be used",
			       name, cert->id, ssh_key_type(key));
	return 0;
}
