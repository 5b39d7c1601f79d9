#include "transport/ssh_spec.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <string.h>

static const char *const *copy_pins(const struct remote_spec *spec)
{
	const char **pins = NEW_N(const char *, spec->host_keys_n + 1);

	for (size_t i = 0; i < spec->host_keys_n; i++)
		pins[i] = str_dup(spec->host_keys[i]);
	return pins;
}

static void *copy_bytes(const void *bytes, size_t len)
{
	void *copy = bytes ? mem_new(1, len + 1) : NULL;

	if (bytes)
		memcpy(copy, bytes, len);
	return copy;
}

struct remote_spec *ssh_spec_copy(const struct remote_spec *spec)
{
	struct remote_spec *copy = NEW(struct remote_spec);

	*copy = *spec;
	copy->label = str_dup(spec->label);
	copy->address = str_dup(spec->address);
	copy->user = str_dup(spec->user);
	copy->key_name = str_dup(spec->key_name);
	copy->known_hosts = str_dup(spec->known_hosts);
	copy->seen_host_key = str_dup(spec->seen_host_key);
	copy->password = str_dup(spec->password);
	copy->via_command = str_dup(spec->via_command);
	copy->host_keys = copy_pins(spec);
	copy->passphrase = str_dup(spec->passphrase);
	copy->agent = str_dup(spec->agent);
	copy->agent_key = str_dup(spec->agent_key);
	copy->certificate_name = str_dup(spec->certificate_name);
	copy->key = copy_bytes(spec->key, spec->key_len);
	copy->certificate = copy_bytes(spec->certificate, spec->certificate_len);
	copy->via = spec->via ? ssh_spec_copy(spec->via) : NULL;
	return copy;
}

void ssh_spec_free(struct remote_spec *spec)
{
	if (!spec)
		return;
	for (size_t i = 0; i < spec->host_keys_n; i++)
		free((char *)spec->host_keys[i]);
	free((void *)spec->host_keys);
	free((char *)spec->label);
	free((char *)spec->address);
	free((char *)spec->user);
	free((char *)spec->key_name);
	free((char *)spec->known_hosts);
	free((char *)spec->seen_host_key);
	free((char *)spec->via_command);
	free((char *)spec->agent);
	free((char *)spec->agent_key);
	free((char *)spec->certificate_name);
	free((void *)spec->certificate);
	str_free_secret((char *)spec->password);
	str_free_secret((char *)spec->passphrase);
	mem_free_secret((void *)spec->key, spec->key_len);
	ssh_spec_free((struct remote_spec *)spec->via);
	free(spec);
}

/* With its length before it, so that no two specs run into the same text. */
static void add(struct buf *out, const void *bytes, size_t len)
{
	buf_addf(out, "%zu:", len);
	buf_add(out, bytes, len);
}

static void add_text(struct buf *out, const char *text)
{
	if (text)
		add(out, text, strlen(text));
	else
		buf_addc(out, '-');
}

const char *ssh_spec_digest(const struct remote_spec *spec, char out[SHA256_HEX_MAX])
{
	struct buf all = BUF_INIT;
	char before[SHA256_HEX_MAX];

	add_text(&all, spec->address);
	buf_addf(&all, "%d,%d,%zu,", spec->port, spec->accept_new, spec->host_keys_n);
	add_text(&all, spec->user);
	add(&all, spec->key ? spec->key : "", spec->key ? spec->key_len : 0);
	add(&all, spec->certificate ? spec->certificate : "", spec->certificate ? spec->certificate_len : 0);
	add_text(&all, spec->passphrase);
	add_text(&all, spec->agent);
	add_text(&all, spec->agent_key);
	add_text(&all, spec->known_hosts);
	add_text(&all, spec->seen_host_key);
	add_text(&all, spec->password);
	add_text(&all, spec->via_command);
	for (size_t i = 0; i < spec->host_keys_n; i++)
		add_text(&all, spec->host_keys[i]);
	if (spec->via)
		add_text(&all, ssh_spec_digest(spec->via, before));
	sha256_hex(all.data, all.len, out);
	buf_release_secret(&all);
	return out;
}

const char *ssh_spec_machine(const struct remote_spec *spec, char out[SHA256_HEX_MAX])
{
	struct buf all = BUF_INIT;
	char before[SHA256_HEX_MAX];

	add_text(&all, spec->address);
	buf_addf(&all, "%d,", spec->port);
	add_text(&all, spec->via_command);
	if (spec->via)
		add_text(&all, ssh_spec_machine(spec->via, before));
	sha256_hex(all.data, all.len, out);
	buf_release(&all);
	return out;
}
