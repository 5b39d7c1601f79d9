#include "transport/ssh_hostkey.h"

#include "base/alloc.h"
#include "transport/ssh_key.h"
#include "transport/ssh_wire.h"

/* In the order of preference; the place is the bit. */
static const char *const types[] = {"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
				    "ssh-rsa"};
#define ALL_TYPES ((1U << ARRAY_LEN(types)) - 1)

static unsigned type_bit(const char *type, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strlen(types[i]) == len && memcmp(types[i], type, len) == 0)
			return 1U << i;
	return 0;
}

static bool is_base64(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == strlen(text);
}

static int add_pin(struct ssh_trust *trust, const char *text, struct err *err)
{
	const char *space = strrchr(text, ' ');
	const char *fingerprint = space ? space + 1 : text;
	struct ssh_pin *pin = &trust->pins[trust->pins_n];
	unsigned bit = space ? type_bit(text, (size_t)(space - text)) : 0;

	if (trust->pins_n == TRUST_PINS_MAX)
		return err_set(err, E_INVAL, "more than %d host keys are pinned", TRUST_PINS_MAX);
	if (space && !bit)
		return err_set(err, E_INVAL,
			       "the pinned host key \"%s\" is of an unknown type; known are ssh-ed25519, "
			       "ecdsa-sha2-nistp256, -nistp384, -nistp521 and ssh-rsa",
			       text);
	if (strncmp(fingerprint, "SHA256:", 7) != 0 || strlen(fingerprint) != 50 || !is_base64(fingerprint + 7))
		return err_set(err, E_INVAL,
			       "the pinned host key \"%s\" is not like \"ssh-ed25519 SHA256:…\" (43 characters, as "
			       "ssh-keygen -l prints it)",
			       text);
	memcpy(pin->fingerprint, fingerprint, 51);
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (bit == 1U << i)
			pin->type = types[i];
	trust->pins_n++;
	trust->known |= bit;
	trust->any |= !bit;
	return 0;
}

int ssh_trust_init(struct ssh_trust *trust, const char *const *pins, size_t pins_n, const struct known_hosts *hosts,
		   const char *address, int port, struct err *err)
{
	*trust = (struct ssh_trust){.address = address, .port = port, .hosts = hosts};
	buf_init(&trust->shown, 512);
	for (size_t i = 0; i < pins_n; i++) {
		int r = add_pin(trust, pins[i], err);
		if (r)
			return r;
	}
	for (size_t i = 0; hosts && i < hosts->n; i++) {
		const struct known_host *h = &hosts->hosts[i];
		if (h->mark != KNOWN_HOST_KEY || !known_host_is_for(h, address, port))
			continue;
		trust->known |= type_bit(h->type, strlen(h->type));
		trust->named = true;
	}
	return 0;
}

int ssh_trust_accept_new(struct ssh_trust *trust, const char *seen, struct err *err)
{
	trust->accept_new = true;
	if (!seen || !*seen || trust->pins_n || trust->named)
		return 0;
	trust->seen = true;
	return add_pin(trust, seen, err);
}

void ssh_trust_release(struct ssh_trust *trust)
{
	buf_release(&trust->shown);
}

static unsigned wanted_types(const struct ssh_trust *trust)
{
	unsigned wanted = trust->any || trust->widened || !trust->known ? ALL_TYPES : trust->known;

	return wanted & ~trust->tried;
}

void ssh_trust_preference(const struct ssh_trust *trust, bool rsa_sha2, struct buf *out)
{
	unsigned wanted = wanted_types(trust);

	/* Types that something is known of come first, so that they are looked at first. */
	for (int known = 1; known >= 0; known--) {
		for (size_t i = 0; i < ARRAY_LEN(types); i++) {
			unsigned bit = 1U << i;
			if (!(wanted & bit) || known != ((trust->known & bit) != 0))
				continue;
			if (rsa_sha2 && strcmp(types[i], "ssh-rsa") == 0)
				buf_addf(out, "%srsa-sha2-512,rsa-sha2-256", out->len ? "," : "");
			buf_addf(out, "%s%s", out->len ? "," : "", types[i]);
		}
	}
}

static bool pinned(const struct ssh_trust *trust, struct wire_str type, const char *fingerprint)
{
	for (size_t i = 0; i < trust->pins_n; i++)
		if ((!trust->pins[i].type || wire_is(type, trust->pins[i].type)) &&
		    strcmp(trust->pins[i].fingerprint, fingerprint) == 0)
			return true;
	return false;
}

/* The line that names this key with this mark for this host. A revocation holds for each port of a name. */
static const struct known_host *find_line(const struct ssh_trust *trust, enum known_host_mark mark, const void *blob,
					  size_t len)
{
	for (size_t i = 0; trust->hosts && i < trust->hosts->n; i++) {
		const struct known_host *h = &trust->hosts->hosts[i];
		if (h->mark != mark || !buf_equals(&h->blob, blob, len))
			continue;
		if (known_host_is_for(h, trust->address, trust->port) ||
		    (mark == KNOWN_HOST_REVOKED && known_host_is_for_other_port(h, trust->address, trust->port)))
			return h;
	}
	return NULL;
}

/* The line that names this key, whoever it is for; NULL where there is none. */
static const struct known_host *find_elsewhere(const struct ssh_trust *trust, const void *blob, size_t len)
{
	for (size_t i = 0; trust->hosts && i < trust->hosts->n; i++) {
		const struct known_host *h = &trust->hosts->hosts[i];
		if (h->mark != KNOWN_HOST_AUTHORITY && buf_equals(&h->blob, blob, len))
			return h;
	}
	return NULL;
}

/* "FILE:12 pins ssh-ed25519 SHA256:…", each key that is known of the host. */
static void add_known(const struct ssh_trust *trust, struct buf *out)
{
	char fingerprint[SSH_FINGERPRINT_MAX];

	for (size_t i = 0; i < trust->pins_n; i++)
		buf_addf(out, "%s%s %s%s%s", out->len ? ", " : "",
			 trust->seen ? "when it was let in as new it showed" : "the inventory pins",
			 trust->pins[i].type ? trust->pins[i].type : "", trust->pins[i].type ? " " : "",
			 trust->pins[i].fingerprint);
	for (size_t i = 0; trust->hosts && i < trust->hosts->n; i++) {
		const struct known_host *h = &trust->hosts->hosts[i];
		if (h->mark == KNOWN_HOST_KEY && known_host_is_for(h, trust->address, trust->port))
			buf_addf(out, "%s%s:%d pins %s %s", out->len ? ", " : "", trust->hosts->path, h->line, h->type,
				 ssh_fingerprint(h->blob.data, h->blob.len, fingerprint));
	}
}

/* What in the file might have been meant for this host and does not count. */
static void add_hints(const struct ssh_trust *trust, const void *blob, size_t len, struct buf *out)
{
	const struct known_hosts *hosts = trust->hosts;

	if (!hosts)
		return;
	if (hosts->skipped_n)
		buf_addf(out, "; %s could not be read in full: %s", hosts->path, buf_str(&hosts->skipped));
	for (size_t i = 0; i < hosts->n; i++) {
		const struct known_host *h = &hosts->hosts[i];
		if (h->mark == KNOWN_HOST_AUTHORITY && known_host_is_for(h, trust->address, trust->port))
			buf_addf(out, "; %s:%d is a @cert-authority line, which is not used", hosts->path, h->line);
		else if (h->mark == KNOWN_HOST_KEY && buf_equals(&h->blob, blob, len) &&
			 known_host_is_for_other_port(h, trust->address, trust->port))
			buf_addf(out, "; %s:%d has this key, for port 22 only: write [%s]:%d there", hosts->path,
				 h->line, trust->address, trust->port);
	}
}

static void refuse_unknown(const struct ssh_trust *trust, const void *blob, size_t len, struct err *err)
{
	struct buf hints;

	buf_init(&hints, 400);
	add_hints(trust, blob, len, &hints);
	err_set(err, E_HOSTKEY,
		"unknown host key: the server offers %s, and neither host_key nor %s names %s port %d; compare it with "
		"what "
		"`ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub` prints on the host, then write it as host_key%s",
		buf_str(&trust->shown), trust->hosts ? trust->hosts->path : "a known_hosts file", trust->address,
		trust->port, buf_str(&hints));
	buf_release(&hints);
}

static void refuse_mismatch(const struct ssh_trust *trust, struct err *err)
{
	struct buf known, hints;

	buf_init(&known, 400);
	buf_init(&hints, 200);
	add_known(trust, &known);
	add_hints(trust, "", 0, &hints);
	err_set(err, E_HOSTKEY,
		"host key mismatch: server offers %s but %s; if the host was reinstalled, %s, else somebody may be in "
		"between%s",
		buf_str(&trust->shown), buf_str(&known),
		trust->seen ? "write its new key as host_key" : "correct the pin", buf_str(&hints));
	buf_release(&known);
	buf_release(&hints);
}

/* Accepting it would be to talk to a machine that is known as another one. */
static void refuse_other_host(const struct ssh_trust *trust, const struct known_host *line, struct err *err)
{
	if (line->mark == KNOWN_HOST_REVOKED)
		err_set(err, E_HOSTKEY, "revoked host key: server offers %s, which %s:%d revokes for %.100s; it is not let in as new",
			buf_str(&trust->shown), trust->hosts->path, line->line, line->names);
	else
		err_set(err, E_HOSTKEY,
			"unknown host with a known key: server offers %s, which %s:%d knows as that of %.100s; it is not let in as "
			"new: if both are one machine, write the key as host_key, else the address is wrong",
			buf_str(&trust->shown), trust->hosts->path, line->line, line->names);
}

static enum ssh_trust_verdict take_new(struct ssh_trust *trust, const void *blob, size_t len, struct err *err)
{
	const struct known_host *line = find_elsewhere(trust, blob, len);

	if (line) {
		refuse_other_host(trust, line, err);
		return HOSTKEY_REFUSED;
	}
	trust->is_new = true;
	return HOSTKEY_ACCEPTED;
}

static void refuse_revoked(const struct ssh_trust *trust, const struct known_host *line, struct err *err)
{
	err_set(err, E_HOSTKEY,
		"revoked host key: server offers %s, which %s:%d revokes; give the host a new key and pin that",
		buf_str(&trust->shown), trust->hosts->path, line->line);
}

enum ssh_trust_verdict ssh_trust_judge(struct ssh_trust *trust, const void *blob, size_t len, struct err *err)
{
	struct wire w = wire_over(blob, len);
	struct wire_str type = wire_string(&w);
	char fingerprint[SSH_FINGERPRINT_MAX];
	const struct known_host *revoked;
	unsigned bit = type_bit((const char *)type.data, type.len);

	ssh_fingerprint(blob, len, fingerprint);
	buf_addf(&trust->shown, "%s%.*s %s", trust->shown.len ? ", " : "", type.len > 64 ? 64 : (int)type.len,
		 (const char *)type.data, fingerprint);
	revoked = find_line(trust, KNOWN_HOST_REVOKED, blob, len);
	if (revoked) {
		refuse_revoked(trust, revoked, err);
		return HOSTKEY_REFUSED;
	}
	if (pinned(trust, type, fingerprint) || find_line(trust, KNOWN_HOST_KEY, blob, len))
		return HOSTKEY_ACCEPTED;
	/* A type that was not asked for, or once more one that was tried: the server does not play by the rules. */
	if (trust->any && bit && !(trust->tried & bit)) {
		trust->tried |= bit;
		if (wanted_types(trust))
			return HOSTKEY_TRY_ANOTHER;
	}
	if (trust->accept_new && bit && !trust->pins_n && !trust->named)
		return take_new(trust, blob, len, err);
	if (trust->any || trust->known)
		refuse_mismatch(trust, err);
	else
		refuse_unknown(trust, blob, len, err);
	return HOSTKEY_REFUSED;
}

enum ssh_trust_verdict ssh_trust_no_common_type(struct ssh_trust *trust, struct err *err)
{
	if (trust->tried) {
		refuse_mismatch(trust, err);
		return HOSTKEY_REFUSED;
	}
	if (wanted_types(trust) == ALL_TYPES)
		return HOSTKEY_ACCEPTED;
	trust->widened = true;
	return HOSTKEY_TRY_ANOTHER;
}
