#include "inventory/text_check.h"

#include "inventory/secret.h"
#include "inventory/suggest.h"

#include "base/alloc.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <regex.h>

/* C0, DEL, and C1 as UTF-8 writes it (C2 80 … C2 9F): terminals obey both. */
static bool has_control(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F))
			return true;
	return false;
}

int check_text_plain(const char *text, struct err *err)
{
	if (!*text)
		return err_set(err, E_INVAL, "must not be empty");
	if (has_control(text))
		return err_set(err, E_INVAL, "holds a control character (a line break or tab, perhaps)");
	if (strlen(text) > TEXT_MAX_BYTES)
		return err_set(err, E_INVAL, "is %zu bytes long; %d are allowed", strlen(text), TEXT_MAX_BYTES);
	return 0;
}

static bool is_name(const char *text, bool upper)
{
	for (const char *p = text; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (upper && *p >= 'A' && *p <= 'Z');
		if (!letter && (p == text || !strchr("._-", *p)))
			return false;
	}
	return *text && strlen(text) <= 64;
}

int check_text_id(const char *text, struct err *err)
{
	if (is_name(text, false))
		return 0;
	return err_set(err, E_INVAL,
		       "\"%.*s\" is no id: 1 to 64 of a-z, 0-9, \".\", \"_\", \"-\", and the first a letter or digit",
		       TEXT_QUOTED, text);
}

int check_text_name(const char *text, struct err *err)
{
	if (is_name(text, true))
		return 0;
	return err_set(err, E_INVAL,
		       "\"%.*s\" is no name: 1 to 64 letters, digits, \".\", \"_\", \"-\", and the first a letter or "
		       "digit",
		       TEXT_QUOTED, text);
}

bool text_is_ip(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* RFC 1123, section 2.1, and 63 bytes a label, 253 a name; one dot at the end is fine. `dots`: at least so many labels.
 */
static bool is_dns_name(const char *text, int labels_min)
{
	size_t len = strlen(text), label = 0;
	int labels = 1;

	if (len && text[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.') {
			if (label == 0 || text[i - 1] == '-')
				return false;
			label = 0;
			labels++;
			continue;
		}
		if (!isascii((unsigned char)text[i]) ||
		    (!isalnum((unsigned char)text[i]) && (text[i] != '-' || label == 0) && text[i] != '_'))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && text[len - 1] != '-' && labels >= labels_min;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text >= 0x80)
			return false;
	return true;
}

/* Digits and dots alone: an address that was mistyped, never a name. */
static bool looks_numeric(const char *text)
{
	return text[strspn(text, "0123456789.")] == '\0';
}

int check_text_domain(const char *text, struct err *err)
{
	if (has_control(text) || !*text)
		return check_text_plain(text, err);
	if (strstr(text, "://"))
		return err_set(err, E_INVAL, "\"%.*s\" is a URL; write the name alone", TEXT_QUOTED, text);
	if (text_is_ip(text) || looks_numeric(text))
		return err_set(err, E_INVAL, "\"%.*s\" is an address; a name is wanted", TEXT_QUOTED, text);
	if (!is_ascii(text))
		return err_set(err, E_INVAL, "\"%.*s\" is not ASCII; write it as punycode (xn--…)", TEXT_QUOTED, text);
	if (strchr(text, ':') || strchr(text, '/') || strchr(text, '@'))
		return err_set(err, E_INVAL,
			       "\"%.*s\" is no host name; write the name alone, without port, path or user",
			       TEXT_QUOTED, text);
	if (!is_dns_name(text, 2))
		return err_set(err, E_INVAL, "\"%.*s\" is no full host name like \"mail.example.com\"", TEXT_QUOTED,
			       text);
	return 0;
}

int check_text_address(const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');

	if (has_control(text) || !*text)
		return check_text_plain(text, err);
	if (text_is_ip(text))
		return 0;
	if (strstr(text, "://"))
		return err_set(err, E_INVAL, "\"%.*s\" is a URL; write the name or address alone", TEXT_QUOTED, text);
	if (strchr(text, '@'))
		return err_set(err, E_INVAL, "\"%.*s\" holds a user; write the key \"user\" beside it", TEXT_QUOTED,
			       text);
	if (*text == '[')
		return err_set(err, E_INVAL,
			       "\"%.*s\": write an IPv6 address without brackets, and a port as the key \"port\"",
			       TEXT_QUOTED, text);
	if (colon && strchr(text, ':') == colon)
		return err_set(err, E_INVAL, "\"%.*s\" holds a port; write the key \"port\" beside it", TEXT_QUOTED,
			       text);
	if (looks_numeric(text) || !is_dns_name(text, 1))
		return err_set(err, E_INVAL, "\"%.*s\" is no host name and no IPv4 or IPv6 address", TEXT_QUOTED, text);
	return 0;
}

int check_text_ip(const char *text, struct err *err)
{
	if (text_is_ip(text))
		return 0;
	return err_set(err, E_INVAL, "\"%.*s\" is no IPv4 or IPv6 address", TEXT_QUOTED, text);
}

/* Bits beyond the prefix are a typing mistake: tools mask them silently. */
static bool has_host_bits(const unsigned char *address, int bytes, long prefix)
{
	for (long bit = prefix; bit < bytes * 8L; bit++)
		if (address[bit / 8] >> (7 - bit % 8) & 1)
			return true;
	return false;
}

int check_text_cidr(const char *text, struct err *err)
{
	unsigned char address[sizeof(struct in6_addr)];
	const char *slash = strchr(text, '/');
	char *host = slash ? str_ndup(text, (size_t)(slash - text)) : NULL;
	int bytes = !host                                     ? 0
		    : inet_pton(AF_INET, host, address) == 1  ? 4
		    : inet_pton(AF_INET6, host, address) == 1 ? 16
							      : 0;
	char *end = NULL;
	long prefix = slash && isdigit((unsigned char)slash[1]) ? strtol(slash + 1, &end, 10) : -1;

	free(host);
	if (bytes == 0 || prefix < 0 || prefix > bytes * 8 || *end)
		return err_set(err, E_INVAL, "\"%.*s\" is no address range like \"192.0.2.0/24\"", TEXT_QUOTED, text);
	if (has_host_bits(address, bytes, prefix))
		return err_set(err, E_INVAL, "\"%.*s\" has bits set beyond its prefix length", TEXT_QUOTED, text);
	return 0;
}

int check_text_mailbox(const char *text, struct err *err)
{
	const char *at = strrchr(text, '@');
	int r = check_text_plain(text, err);

	if (r)
		return r;
	if (at && at != text && !strpbrk(text, " <>,;\"") && strchr(text, '@') == at && !looks_numeric(at + 1) &&
	    is_dns_name(at + 1, 1))
		return 0;
	return err_set(err, E_INVAL, "\"%.*s\" is no mail address like \"dns@example.com\"", TEXT_QUOTED, text);
}

int check_text_date(const char *text, struct err *err)
{
	int64_t days;

	return time_parse_date(text, &days, err);
}

int check_text_time(const char *text, struct err *err)
{
	int64_t ms;

	return time_parse_rfc3339(text, &ms, NULL, err);
}

int check_text_regex(const char *text, struct err *err)
{
	char why[128];
	regex_t regex;
	int r = check_text_plain(text, err);

	if (r)
		return r;
	r = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
	if (r == 0) {
		regfree(&regex);
		return 0;
	}
	regerror(r, &regex, why, sizeof(why));
	return err_set(err, E_INVAL, "the pattern \"%.*s\" does not compile: %s (POSIX extended regular expressions)",
		       TEXT_QUOTED, text, why);
}

static const char *const key_types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
					 "ecdsa-sha2-nistp521", "ssh-rsa" };

static int check_key_type(const char *text, size_t len, struct err *err)
{
	char *type = str_ndup(text, len);
	const char *best =
		strncmp(type, "rsa-sha2-", 9) == 0 ? "ssh-rsa" : suggest(type, key_types, ARRAY_LEN(key_types));
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(key_types); i++)
		if (strcmp(type, key_types[i]) == 0)
			goto out;
	r = err_set(err, E_INVAL,
		    "\"%.60s\" is no type of a host key%s%s%s (ssh-ed25519, ecdsa-sha2-nistp256, -384, -521, ssh-rsa)",
		    type, best ? ", did you mean \"" : "", best ? best : "", best ? "\"?" : "");
out:
	free(type);
	return r;
}

/* ssh-keygen -l prints a fingerprint as 43 characters of base64 without its padding. */
int check_text_pin(const char *text, struct err *err)
{
	const char *space = strchr(text, ' ');
	const char *hash = space ? space + 1 : text;
	size_t digits;

	if (space && check_key_type(text, (size_t)(space - text), err) != 0)
		return E_INVAL;
	if (strncmp(hash, "MD5:", 4) == 0)
		return err_set(err, E_INVAL,
			       "an MD5 fingerprint proves nothing; take SHA256 (ssh-keygen -l -f KEYFILE)");
	if (strncmp(hash, "AAAA", 4) == 0)
		return err_set(err, E_INVAL,
			       "this is a whole key; write its fingerprint (ssh-keygen -l -f KEYFILE), or use "
			       "\"known_hosts\"");
	if (strncmp(hash, "SHA256:", 7) != 0)
		return err_set(err, E_INVAL, "\"%.*s\" is no fingerprint like \"SHA256:…\" or \"ssh-ed25519 SHA256:…\"",
			       TEXT_QUOTED, text);
	digits = strspn(hash + 7, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
	if (digits != 43 || hash[7 + digits])
		return err_set(err, E_INVAL,
			       "\"%.*s\" is no SHA256 fingerprint: 43 characters of base64 follow \"SHA256:\"",
			       TEXT_QUOTED, text);
	return 0;
}

int check_text_secret(const char *text, struct err *err)
{
	if (has_control(text) || strlen(text) > TEXT_MAX_BYTES)
		return err_set(err, E_INVAL,
			       "a secret is given as a reference: \"env:NAME\", \"file:PATH\", \"command:…\" or "
			       "\"credential:NAME\"");
	return secret_check(text, err);
}

int check_text_identity(const char *text, struct err *err)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *which = text + strlen("agent:");

	if (strncmp(text, "agent:", strlen("agent:")) != 0)
		return check_text_secret(text, err);
	if (strncmp(which, "SHA256:", 7) == 0 && (strlen(which) != 50 || strspn(which + 7, base64) != 43))
		return err_set(err, E_INVAL,
			       "\"%.*s\" is no fingerprint: SHA256: and 43 characters, as ssh-add -l prints it",
			       TEXT_QUOTED, which);
	return *which ? check_text_plain(which, err) : 0;
}

int check_text_imap_url(const char *text, struct err *err)
{
	int r = check_text_plain(text, err);

	if (r)
		return r;
	if (strchr(text, '@'))
		return err_set(err, E_INVAL, "write user and password as keys of their own, not in the URL");
	if ((strncmp(text, "imaps://", 8) == 0 && text[8]) || (strncmp(text, "imap://", 7) == 0 && text[7]))
		return 0;
	return err_set(err, E_INVAL, "\"%.*s\" is no URL like \"imaps://mail.example.com\"", TEXT_QUOTED, text);
}
