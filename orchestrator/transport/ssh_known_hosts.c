#include "transport/ssh_known_hosts.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "transport/ssh_wire.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { SSH_PORT = 22, SKIPPED_TEXT_MAX = 160, SHA1_BYTES = 20 };

static void skip_line(struct known_hosts *hosts, int line, const char *why)
{
	hosts->skipped_n++;
	if (hosts->skipped.len < SKIPPED_TEXT_MAX)
		buf_addf(&hosts->skipped, "%sline %d (%s)", hosts->skipped.len ? ", " : "", line, why);
	log_warn("%s:%d: line skipped: %s", hosts->path, line, why);
}

/* The next word of a line; NULL at its end. */
static char *next_word(const char **at, const char *end)
{
	const char *from;

	while (*at < end && (**at == ' ' || **at == '\t'))
		(*at)++;
	from = *at;
	while (*at < end && **at != ' ' && **at != '\t')
		(*at)++;
	return *at > from ? str_ndup(from, (size_t)(*at - from)) : NULL;
}

/* |1|base64 of the salt|base64 of HMAC-SHA1(salt, name). */
static const char *parse_hashed(struct known_host *host)
{
	const char *salt = host->names + 3, *hash = strchr(salt, '|');

	if (strncmp(host->names, "|1|", 3) != 0 || !hash)
		return "an unknown way of hashing";
	if (!wire_base64_decode(salt, (size_t)(hash - salt), &host->salt) ||
	    !wire_base64_decode(hash + 1, strlen(hash + 1), &host->hash) || host->hash.len != SHA1_BYTES ||
	    !host->salt.len)
		return "a broken hashed name";
	return NULL;
}

static const char *parse_key(struct known_host *host, const char *key)
{
	struct wire w;

	if (!key)
		return "no key";
	if (!wire_base64_decode(key, strlen(key), &host->blob))
		return "the key is no base64";
	w = wire_over(host->blob.data, host->blob.len);
	if (!wire_is(wire_string(&w), host->type) || w.failed)
		return "the key is not of the type that stands before it";
	return NULL;
}

static const char *parse_mark(struct known_host *host, const char *word)
{
	if (strcmp(word, "@revoked") == 0)
		host->mark = KNOWN_HOST_REVOKED;
	else if (strcmp(word, "@cert-authority") == 0)
		host->mark = KNOWN_HOST_AUTHORITY;
	else
		return "an unknown marker";
	return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct known_host *host, const char *at, const char *end)
{
	const char *why = NULL;
	char *key;

	if (memchr(at, '\0', (size_t)(end - at)))
		return "a NUL byte";
	if (*at == '@') {
		char *word = next_word(&at, end);
		why = parse_mark(host, word);
		free(word);
	}
	host->names = next_word(&at, end);
	host->type = next_word(&at, end);
	if (why)
		return why;
	if (!host->names || !host->type)
		return "no key";
	if (*host->names == '|')
		why = parse_hashed(host);
	if (why)
		return why;
	if (isdigit((unsigned char)*host->type))
		return "a key of SSH version 1";
	key = next_word(&at, end);
	why = parse_key(host, key);
	free(key);
	return why;
}

static void host_release(struct known_host *host)
{
	free(host->names);
	free(host->type);
	buf_release(&host->blob);
	buf_release(&host->salt);
	buf_release(&host->hash);
}

static void take_line(struct known_hosts *hosts, const char *at, const char *end, int line)
{
	struct known_host host = {.line = line};
	const char *why;

	while (end > at && (end[-1] == '\r' || end[-1] == ' ' || end[-1] == '\t'))
		end--;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at == '#')
		return;
	why = parse_line(&host, at, end);
	if (why) {
		skip_line(hosts, line, why);
		host_release(&host);
		return;
	}
	GROW_FOR_ONE(hosts->hosts, hosts->n);
	hosts->hosts[hosts->n++] = host;
}

struct known_hosts *known_hosts_parse(const char *path, const char *bytes, size_t len)
{
	struct known_hosts *hosts = NEW(struct known_hosts);
	const char *at = bytes, *end = bytes + len;

	hosts->path = str_dup(path);
	for (int line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		take_line(hosts, at, newline ? newline : end, line);
		at = newline ? newline + 1 : end;
	}
	return hosts;
}

int known_hosts_read(const char *path, struct known_hosts **out, struct err *err)
{
	struct buf bytes;
	int r;

	buf_init(&bytes, KNOWN_HOSTS_MAX_BYTES + 1);
	r = file_read(path, KNOWN_HOSTS_MAX_BYTES, &bytes, err);
	if (!r)
		*out = known_hosts_parse(path, buf_str(&bytes), bytes.len);
	buf_release(&bytes);
	return r;
}

void known_hosts_free(struct known_hosts *hosts)
{
	if (!hosts)
		return;
	for (size_t i = 0; i < hosts->n; i++)
		host_release(&hosts->hosts[i]);
	free(hosts->hosts);
	free(hosts->path);
	buf_release(&hosts->skipped);
	free(hosts);
}

/* A pattern with * and ?. Linear in the text for each star: nothing that a file could make slow. */
static bool glob_matches(const char *pattern, size_t len, const char *text)
{
	const char *end = pattern + len, *star = NULL, *retry = NULL;

	while (*text) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = text;
		} else if (pattern < end && (*pattern == '?' || tolower((unsigned char)*pattern) == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

/* A comma list: one pattern has to match and no negated one. */
static bool list_matches(const char *list, const char *name)
{
	bool found = false;

	while (*list) {
		size_t len = strcspn(list, ",");
		bool negated = *list == '!';

		if (len > (size_t)negated && glob_matches(list + negated, len - negated, name)) {
			if (negated)
				return false;
			found = true;
		}
		list += len;
		list += *list == ',';
	}
	return found;
}

static bool hash_matches(const struct known_host *host, const char *name)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (!HMAC(EVP_sha1(), host->salt.data, (int)host->salt.len, (const unsigned char *)name, strlen(name), mac,
		  &len))
		return false;
	return buf_equals(&host->hash, mac, len);
}

static bool is_for(const struct known_host *host, const char *name, int port)
{
	char *wanted = port == SSH_PORT ? str_dup(name) : str_fmt("[%s]:%d", name, port);
	bool matches;

	for (char *c = wanted; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	matches = host->salt.len ? hash_matches(host, wanted) : list_matches(host->names, wanted);
	free(wanted);
	return matches;
}

bool known_host_is_for(const struct known_host *host, const char *name, int port)
{
	return is_for(host, name, port);
}

bool known_host_is_for_other_port(const struct known_host *host, const char *name, int port)
{
	return port != SSH_PORT && is_for(host, name, SSH_PORT);
}
