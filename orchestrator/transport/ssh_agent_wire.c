#include "transport/ssh_agent_wire.h"

enum agent_message {
	AGENT_FAILURE = 5,
	AGENT_REQUEST_LIST = 11,
	AGENT_LIST = 12,
	AGENT_REQUEST_SIGN = 13,
	AGENT_SIGNATURE = 14,
};

enum agent_flag { AGENT_RSA_SHA2_256 = 2, AGENT_RSA_SHA2_512 = 4 };

enum { HEAD = 4 };

void agent_put_list(struct buf *out)
{
	wire_put_u32(out, 1);
	buf_addc(out, AGENT_REQUEST_LIST);
}

static uint32_t flags_for(struct wire_str algorithm)
{
	if (wire_is(algorithm, "rsa-sha2-256"))
		return AGENT_RSA_SHA2_256;
	return wire_is(algorithm, "rsa-sha2-512") ? AGENT_RSA_SHA2_512 : 0;
}

void agent_put_sign(struct buf *out, const struct buf *blob, const void *data, size_t len, struct wire_str algorithm)
{
	wire_put_u32(out, (uint32_t)(1 + 4 + blob->len + 4 + len + 4));
	buf_addc(out, AGENT_REQUEST_SIGN);
	wire_put_string(out, blob->data, blob->len);
	wire_put_string(out, data, len);
	wire_put_u32(out, flags_for(algorithm));
}

int agent_take(const struct buf *in, struct wire_str *body, size_t *len, struct err *err)
{
	struct wire w = wire_over(in->data, in->len);
	uint32_t n;

	if (in->len < HEAD)
		return 0;
	n = wire_u32(&w);
	if (n == 0 || n > AGENT_FRAME_MAX)
		return err_set(err, E_SIGN, "the ssh-agent announces an answer of %u bytes; it is none, or it is damaged",
			       (unsigned)n);
	if (in->len - HEAD < n)
		return 0;
	*body = wire_bytes(&w, n);
	*len = HEAD + n;
	return 1;
}

static int garbage(struct err *err, const char *what)
{
	return err_set(err, E_SIGN, "the ssh-agent's answer is no %s", what);
}

/* The first byte is the answer's kind. */
static int read_kind(struct wire *w, enum agent_message wanted, const char *refused, const char *what, struct err *err)
{
	struct wire_str kind = wire_bytes(w, 1);

	if (kind.len && *kind.data == AGENT_FAILURE)
		return err_set(err, E_SIGN, "the ssh-agent refuses to %s", refused);
	return kind.len && *kind.data == wanted ? 0 : garbage(err, what);
}

int agent_read_keys(struct wire_str body, bool (*each)(struct wire_str blob, struct wire_str comment, void *arg), void *arg,
		    struct err *err)
{
	struct wire w = wire_over(body.data, body.len);
	int r = read_kind(&w, AGENT_LIST, "say which keys it has (is it locked? ssh-add -X)", "list of keys", err);
	uint32_t n;

	if (r)
		return r;
	n = wire_u32(&w);
	if (w.failed || n > AGENT_KEYS_MAX)
		return garbage(err, "list of keys");
	for (bool more = true; n; n--) {
		struct wire_str blob = wire_string(&w), comment = wire_string(&w);
		if (w.failed)
			return garbage(err, "list of keys");
		more = more && each(blob, comment, arg);
	}
	return w.at == w.end ? 0 : garbage(err, "list of keys");
}

static int other_algorithm(struct wire_str got, struct wire_str wanted, struct err *err)
{
	bool old = wire_is(got, "ssh-rsa") && wanted.len > 4 && memcmp(wanted.data, "rsa-", 4) == 0;

	return err_set(err, E_SIGN, "the ssh-agent signed with \"%.*s\" where \"%.*s\" was asked for%s",
		       got.len > 64 ? 64 : (int)got.len, (const char *)got.data, wanted.len > 64 ? 64 : (int)wanted.len,
		       (const char *)wanted.data,
		       old ? "; it is too old for RSA keys with SHA-2: use a newer one, or an ed25519 key" : "");
}

int agent_read_signature(struct wire_str body, struct wire_str algorithm, struct buf *out, struct err *err)
{
	struct wire w = wire_over(body.data, body.len);
	int r = read_kind(&w, AGENT_SIGNATURE, "sign (is the key still in it, does it ask somebody to confirm?)", "signature",
			  err);
	struct wire_str signature, name, bytes;

	if (r)
		return r;
	signature = wire_string(&w);
	if (w.failed || w.at != w.end)
		return garbage(err, "signature");
	w = wire_over(signature.data, signature.len);
	name = wire_string(&w);
	bytes = wire_string(&w);
	if (w.failed || w.at != w.end || !bytes.len)
		return garbage(err, "signature");
	if (name.len != algorithm.len || memcmp(name.data, algorithm.data, name.len) != 0)
		return other_algorithm(name, algorithm, err);
	return buf_add(out, bytes.data, bytes.len) ? 0 : garbage(err, "signature");
}
