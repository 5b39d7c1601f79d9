#include "transport/ssh_hostkey.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "tests/lib/unit.h"
#include "transport/ssh_key.h"
#include "transport/ssh_wire.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

/* Made-up keys: a type and a letter. Only their bytes count here. */
static void make_blob(struct buf *blob, const char *type, char letter)
{
	char body[32];

	memset(body, letter, sizeof(body));
	wire_put_text(blob, type);
	wire_put_string(blob, body, sizeof(body));
}

/* "ed A" → ssh-ed25519 with 'A' */
static const char *type_of(const char *key)
{
	if (strncmp(key, "ed", 2) == 0)
		return "ssh-ed25519";
	if (strncmp(key, "ec3", 3) == 0)
		return "ecdsa-sha2-nistp384";
	if (strncmp(key, "ec", 2) == 0)
		return "ecdsa-sha2-nistp256";
	return strncmp(key, "dss", 3) == 0 ? "ssh-dss" : "ssh-rsa";
}

static void key_blob(struct buf *blob, const char *key)
{
	make_blob(blob, type_of(key), key[strlen(key) - 1]);
}

/* In the table's files {KEY} stands for "TYPE BASE64", {hash NAME} for a hashed name. */
static void expand(struct buf *out, const char *text)
{
	while (*text) {
		char word[128];
		const char *close = *text == '{' ? strchr(text, '}') : NULL;

		if (!close) {
			buf_addc(out, *text++);
			continue;
		}
		snprintf(word, sizeof(word), "%.*s", (int)(close - text - 1), text + 1);
		text = close + 1;
		if (strncmp(word, "hash ", 5) == 0) {
			unsigned char mac[EVP_MAX_MD_SIZE];
			unsigned len;
			char *salt = base64_encode("0123456789abcdefghij", 20), *hash;
			HMAC(EVP_sha1(), "0123456789abcdefghij", 20, (unsigned char *)word + 5, strlen(word + 5), mac,
			     &len);
			hash = base64_encode(mac, len);
			buf_addf(out, "|1|%s|%s", salt, hash);
			free(salt);
			free(hash);
		} else {
			struct buf blob = BUF_INIT;
			char *encoded;
			key_blob(&blob, word);
			encoded = base64_encode(blob.data, blob.len);
			buf_addf(out, "%s %s", type_of(word), encoded);
			free(encoded);
			buf_release(&blob);
		}
	}
}

static void quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static struct known_hosts *hosts_from(const char *text)
{
	struct buf bytes = BUF_INIT;
	struct known_hosts *hosts;

	log_set_sink(quiet);
	expand(&bytes, text);
	hosts = known_hosts_parse("FILE", buf_str(&bytes), bytes.len);
	buf_release(&bytes);
	log_set_sink(NULL);
	return hosts;
}

enum { ACCEPTED = HOSTKEY_ACCEPTED, ANOTHER = HOSTKEY_TRY_ANOTHER, REFUSED = HOSTKEY_REFUSED };

/* A file, a host, the key it shows: the verdict, and what the error says. */
static const struct {
	const char *name, *file, *host;
	int port;
	const char *shows;
	int verdict;
	const char *says;
} table[] = {
    {"plain", "h {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"with port", "[h]:2222 {ed A}\n", "h", 2222, "ed A", ACCEPTED, NULL},
    {"comma list with comment", "a,h,b {ed A} root@h\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"hashed", "{hash h} {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"hashed with port", "{hash [h]:2222} {ed A}\n", "h", 2222, "ed A", ACCEPTED, NULL},
    {"hashed, upper case asked", "{hash host} {ed A}\n", "HOST", 22, "ed A", ACCEPTED, NULL},
    {"hashed, another host", "{hash g} {ed A}\n", "h", 22, "ed A", REFUSED, "unknown host key"},
    {"comments and blank lines", "# c\n\n  \n\th {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"upper case", "Host.Example {ed A}\n", "hOST.eXAMPLE", 22, "ed A", ACCEPTED, NULL},
    {"star", "*.example.com {ed A}\n", "a.example.com", 22, "ed A", ACCEPTED, NULL},
    {"star does not match all", "*.example.com {ed A}\n", "example.com", 22, "ed A", REFUSED, "unknown"},
    {"question mark", "h? {ed A}\n", "h1", 22, "ed A", ACCEPTED, NULL},
    {"question mark is one", "h? {ed A}\n", "h12", 22, "ed A", REFUSED, "unknown"},
    {"negation", "*.example,!bad.example {ed A}\n", "bad.example", 22, "ed A", REFUSED, "unknown"},
    {"negation first", "!bad.example,*.example {ed A}\n", "good.example", 22, "ed A", ACCEPTED, NULL},
    {"negation alone", "!bad.example {ed A}\n", "good.example", 22, "ed A", REFUSED, "unknown"},
    {"star with port", "[127.0.0.*]:2222 {ed A}\n", "127.0.0.9", 2222, "ed A", ACCEPTED, NULL},
    {"star, another port", "[127.0.0.*]:2222 {ed A}\n", "127.0.0.9", 2223, "ed A", REFUSED, "unknown"},
    {"IPv6", "[2001:db8::1]:2222 {ed A}\n", "2001:db8::1", 2222, "ed A", ACCEPTED, NULL},
    {"IPv6 without port", "2001:db8::1 {ed A}\n", "2001:DB8::1", 22, "ed A", ACCEPTED, NULL},
    {"bare name is port 22 only", "h {ed A}\n", "h", 2222, "ed A", REFUSED, "write [h]:2222 there"},
    {"named port is not port 22", "[h]:2222 {ed A}\n", "h", 22, "ed A", REFUSED, "unknown"},
    {"CR LF", "g {ed B}\r\nh {ed A}\r\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"no newline at the end", "h {ed A}", "h", 22, "ed A", ACCEPTED, NULL},
    {"other key", "h {ed A}\n", "h", 22, "ed B", REFUSED, "mismatch"},
    {"other key names the line", "# 1\n# 2\nh {ed A}\n", "h", 22, "ed B", REFUSED, "FILE:3 pins ssh-ed25519 SHA256:"},
    {"several keys of one type", "h {ed A}\nh {ed B}\n", "h", 22, "ed B", ACCEPTED, NULL},
    {"several types", "h {ed A}\nh {rsa B}\nh {ec C}\n", "h", 22, "ec C", ACCEPTED, NULL},
    {"another type", "h {ec A}\n", "h", 22, "ed A", REFUSED, "mismatch"},
    {"ecdsa 384", "h {ec3 A}\n", "h", 22, "ec3 A", ACCEPTED, NULL},
    {"revoked and plain", "@revoked h {ed A}\nh {ed A}\n", "h", 22, "ed A", REFUSED, "FILE:1 revokes"},
    {"plain and revoked", "h {ed A}\n@revoked * {ed A}\n", "h", 22, "ed A", REFUSED, "FILE:2 revokes"},
    {"revoked holds for each port", "[h]:2222 {ed A}\n@revoked h {ed A}\n", "h", 2222, "ed A", REFUSED, "revoked"},
    {"another key is revoked", "@revoked * {ed B}\nh {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"revoked for another host", "@revoked g {ed A}\nh {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"revoked only", "@revoked h {ed A}\n", "h", 22, "ed A", REFUSED, "revoked"},
    {"authority is not a key", "@cert-authority * {ed A}\n", "h", 22, "ed A", REFUSED, "@cert-authority"},
    {"authority beside a key", "@cert-authority * {ed B}\nh {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"garbage before", "garbage\nh {ed A}\n", "h", 22, "ed A", ACCEPTED, NULL},
    {"garbage is named", "garbage\nx y z\ng {ed A}\n", "h", 22, "ed A", REFUSED,
     "line 1 (no key), line 2 (the key is no base64)"},
    {"bad base64 is named", "h ssh-ed25519 AAA\n", "h", 22, "ed A", REFUSED, "line 1 (the key is no base64)"},
    {"type beside the key", "h ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAAWE=\n", "h", 22, "ed A", REFUSED, "not of the type"},
    {"unknown marker", "@trusted h {ed A}\n", "h", 22, "ed A", REFUSED, "unknown marker"},
    {"SSH 1", "h 1024 35 1234567890\n", "h", 22, "ed A", REFUSED, "SSH version 1"},
    {"broken hash", "|1|AAAA {ed A}\n", "h", 22, "ed A", REFUSED, "hash"},
    {"hash of another kind", "|2|AAAA|AAAA {ed A}\n", "h", 22, "ed A", REFUSED, "hash"},
    {"marker without key", "@revoked\n", "h", 22, "ed A", REFUSED, "no key"},
    {"empty file", "", "h", 22, "ed A", REFUSED, "unknown host key"},
    {"dss is never asked for", "h {dss A}\n", "h", 22, "ed A", REFUSED, "unknown"},
    {"empty patterns", ",, {ed A}\n", "h", 22, "ed A", REFUSED, "unknown"},
};

START_TEST(test_known_hosts)
{
	struct known_hosts *hosts = hosts_from(table[_i].file);
	struct buf blob = BUF_INIT;
	struct ssh_trust trust;
	struct err err = {.code = 0};
	int verdict;

	ck_assert_int_eq(ssh_trust_init(&trust, NULL, 0, hosts, table[_i].host, table[_i].port, &err), 0);
	key_blob(&blob, table[_i].shows);
	verdict = (int)ssh_trust_judge(&trust, blob.data, blob.len, &err);
	ck_assert_msg(verdict == table[_i].verdict, "%s: %d: %s", table[_i].name, verdict, err.text);
	ck_assert_int_eq(err.code, verdict == REFUSED ? E_HOSTKEY : 0);
	if (table[_i].says)
		ck_assert_msg(strstr(err.text, table[_i].says) != NULL, "%s: wanted \"%s\" in: %s", table[_i].name,
			      table[_i].says, err.text);
	ssh_trust_release(&trust);
	buf_release(&blob);
	known_hosts_free(hosts);
}
END_TEST

static char *pin_of(const char *key, bool with_type)
{
	struct buf blob = BUF_INIT;
	char fingerprint[SSH_FINGERPRINT_MAX];
	char *pin;

	key_blob(&blob, key);
	ssh_fingerprint(blob.data, blob.len, fingerprint);
	pin = str_fmt("%s%s%s", with_type ? type_of(key) : "", with_type ? " " : "", fingerprint);
	buf_release(&blob);
	return pin;
}

static enum ssh_trust_verdict judge(struct ssh_trust *trust, const char *key, struct err *err)
{
	struct buf blob = BUF_INIT;
	enum ssh_trust_verdict verdict;

	key_blob(&blob, key);
	verdict = ssh_trust_judge(trust, blob.data, blob.len, err);
	buf_release(&blob);
	return verdict;
}

static void expect_preference(const struct ssh_trust *trust, bool rsa_sha2, const char *wanted)
{
	struct buf out = BUF_INIT;

	ssh_trust_preference(trust, rsa_sha2, &out);
	ck_assert_str_eq(buf_str(&out), wanted);
	buf_release(&out);
}

START_TEST(test_pin_with_type)
{
	char *pin = pin_of("rsa A", true);
	const char *pins[] = {pin};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 1, NULL, "h", 22, &err), 0);
	expect_preference(&trust, true, "rsa-sha2-512,rsa-sha2-256,ssh-rsa");
	expect_preference(&trust, false, "ssh-rsa");
	ck_assert_int_eq(judge(&trust, "rsa A", &err), HOSTKEY_ACCEPTED);
	ck_assert_int_eq(judge(&trust, "rsa B", &err), HOSTKEY_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "the inventory pins ssh-rsa SHA256:"));
	/* The same fingerprint under another type is not it. */
	ck_assert_int_eq(judge(&trust, "ed A", &err), HOSTKEY_REFUSED);
	ssh_trust_release(&trust);
	free(pin);
}
END_TEST

/* Without a type each type that the server has is looked at before it is a mismatch. */
START_TEST(test_pin_without_type)
{
	char *pin = pin_of("rsa A", false);
	const char *pins[] = {pin};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 1, NULL, "h", 22, &err), 0);
	expect_preference(&trust, false,
			  "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa");
	ck_assert_int_eq(judge(&trust, "ed B", &err), HOSTKEY_TRY_ANOTHER);
	expect_preference(&trust, false, "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa");
	ck_assert_int_eq(judge(&trust, "ec C", &err), HOSTKEY_TRY_ANOTHER);
	ck_assert_int_eq(err.code, 0);
	ck_assert_int_eq(judge(&trust, "rsa A", &err), HOSTKEY_ACCEPTED);
	ssh_trust_release(&trust);
	free(pin);
}
END_TEST

START_TEST(test_pin_without_type_mismatch)
{
	char *pin = pin_of("rsa A", false);
	const char *pins[] = {pin};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 1, NULL, "h", 22, &err), 0);
	ck_assert_int_eq(judge(&trust, "ed B", &err), HOSTKEY_TRY_ANOTHER);
	/* A server that shows what was not asked for does not keep us busy. */
	ck_assert_int_eq(judge(&trust, "ed B", &err), HOSTKEY_REFUSED);
	ck_assert_int_eq(err.code, E_HOSTKEY);
	err.code = 0;
	/* The server has no other type: now it is final, and all that was shown is named. */
	ck_assert_int_eq(ssh_trust_no_common_type(&trust, &err), HOSTKEY_REFUSED);
	ck_assert_int_eq(err.code, E_HOSTKEY);
	ck_assert_ptr_nonnull(strstr(err.text, "mismatch: server offers ssh-ed25519 SHA256:"));
	ssh_trust_release(&trust);
	free(pin);
}
END_TEST

/* The server has none of the types that are known: one more connection shows what it has. */
START_TEST(test_no_common_type)
{
	char *pin = pin_of("ec A", true);
	const char *pins[] = {pin};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 1, NULL, "h", 22, &err), 0);
	expect_preference(&trust, true, "ecdsa-sha2-nistp256");
	ck_assert_int_eq(ssh_trust_no_common_type(&trust, &err), HOSTKEY_TRY_ANOTHER);
	expect_preference(&trust, false,
			  "ecdsa-sha2-nistp256,ssh-ed25519,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,ssh-rsa");
	ck_assert_int_eq(judge(&trust, "ed B", &err), HOSTKEY_REFUSED);
	ck_assert_int_eq(err.code, E_HOSTKEY);
	/* And where that fails, too, host keys are not to blame. */
	ck_assert_int_eq(ssh_trust_no_common_type(&trust, &err), HOSTKEY_ACCEPTED);
	ssh_trust_release(&trust);
	free(pin);
}
END_TEST

START_TEST(test_pin_and_file)
{
	struct known_hosts *hosts = hosts_from("h {ed F}\n@revoked * {ed P}\n");
	char *pin = pin_of("ed A", true), *revoked = pin_of("ed P", true);
	const char *pins[] = {pin, revoked};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 2, hosts, "h", 22, &err), 0);
	ck_assert_int_eq(judge(&trust, "ed A", &err), HOSTKEY_ACCEPTED);
	ck_assert_int_eq(judge(&trust, "ed F", &err), HOSTKEY_ACCEPTED);
	ck_assert_int_eq(judge(&trust, "ed P", &err), HOSTKEY_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "revoke"));
	ssh_trust_release(&trust);
	known_hosts_free(hosts);
	free(pin);
	free(revoked);
}
END_TEST

/* Where new hosts are taken: a file, what the host showed before, what it shows: let in or not, as new or not. */
static const struct {
	const char *name, *file, *seen, *shows;
	int verdict;
	bool is_new;
	const char *says;
} new_hosts[] = {
    {"nothing known", NULL, NULL, "ed A", ACCEPTED, true, NULL},
    {"an empty file", "", NULL, "rsa A", ACCEPTED, true, NULL},
    {"other hosts known", "g {ed B}\n", NULL, "ed A", ACCEPTED, true, NULL},
    {"known", "h {ed A}\n", NULL, "ed A", ACCEPTED, false, NULL},
    {"known with another key", "h {ed B}\n", NULL, "ed A", REFUSED, false, "host key mismatch"},
    {"known with another type", "h {ec B}\n", NULL, "ed A", REFUSED, false, "host key mismatch"},
    {"known with a type of nobody", "h {dss B}\n", NULL, "ed A", REFUSED, false, "unknown host key"},
    {"its key is another host's", "# \ng {ed A}\n", NULL, "ed A", REFUSED, false, "FILE:2 knows as that of g"},
    {"its key is that of another port", "[h]:2222 {ed A}\n", NULL, "ed A", REFUSED, false, "knows as that of [h]:2222"},
    {"revoked", "@revoked * {ed A}\n", NULL, "ed A", REFUSED, false, "revoked host key"},
    {"revoked for another host", "@revoked g {ed A}\n", NULL, "ed A", REFUSED, false, "FILE:1 revokes for g"},
    {"an authority's key is no host's", "@cert-authority * {ed B}\n", NULL, "ed A", ACCEPTED, true, NULL},
    {"a type that nobody asks for", NULL, NULL, "dss A", REFUSED, false, "unknown host key"},
    {"seen before", NULL, "ed A", "ed A", ACCEPTED, false, NULL},
    {"seen with another key", NULL, "ed B", "ed A", REFUSED, false, "when it was let in as new it showed ssh-ed25519 SHA256:"},
    {"seen with another type", NULL, "ec B", "ed A", REFUSED, false, "write its new key as host_key"},
    {"seen, and its key is another host's since", "g {ed A}\n", "ed A", "ed A", ACCEPTED, false, NULL},
    {"seen, and revoked since", "@revoked * {ed A}\n", "ed A", "ed A", REFUSED, false, "revoked host key"},
    {"what the file says of it counts more", "h {ed B}\n", "ed A", "ed B", ACCEPTED, false, NULL},
    {"and what was seen no more", "h {ed B}\n", "ed A", "ed A", REFUSED, false, "FILE:1 pins"},
};

START_TEST(test_new_hosts)
{
	struct known_hosts *hosts = new_hosts[_i].file ? hosts_from(new_hosts[_i].file) : NULL;
	char *seen = new_hosts[_i].seen ? pin_of(new_hosts[_i].seen, true) : NULL;
	struct ssh_trust trust;
	struct err err = {.code = 0};
	int verdict;

	ck_assert_int_eq(ssh_trust_init(&trust, NULL, 0, hosts, "h", 22, &err), 0);
	ck_assert_int_eq(ssh_trust_accept_new(&trust, seen, &err), 0);
	verdict = (int)judge(&trust, new_hosts[_i].shows, &err);
	ck_assert_msg(verdict == new_hosts[_i].verdict, "%s: %d: %s", new_hosts[_i].name, verdict, err.text);
	ck_assert_int_eq(err.code, verdict == REFUSED ? E_HOSTKEY : 0);
	ck_assert_msg(trust.is_new == new_hosts[_i].is_new, "%s", new_hosts[_i].name);
	if (new_hosts[_i].says)
		ck_assert_msg(strstr(err.text, new_hosts[_i].says) != NULL, "%s: wanted \"%s\" in: %s", new_hosts[_i].name,
			      new_hosts[_i].says, err.text);
	ssh_trust_release(&trust);
	known_hosts_free(hosts);
	free(seen);
}
END_TEST

/* A pin of the inventory is the only one that counts; what was seen is nothing beside it. */
START_TEST(test_new_hosts_pinned)
{
	char *pin = pin_of("ed A", false), *seen = pin_of("ed B", true);
	const char *pins[] = {pin};
	struct ssh_trust trust;
	struct err err = {.code = 0};

	ck_assert_int_eq(ssh_trust_init(&trust, pins, 1, NULL, "h", 22, &err), 0);
	ck_assert_int_eq(ssh_trust_accept_new(&trust, seen, &err), 0);
	ck_assert_int_eq(judge(&trust, "ed A", &err), HOSTKEY_ACCEPTED);
	ck_assert(!trust.is_new);
	ck_assert_int_eq(judge(&trust, "ed B", &err), HOSTKEY_TRY_ANOTHER);
	ck_assert_int_eq(ssh_trust_no_common_type(&trust, &err), HOSTKEY_REFUSED);
	ssh_trust_release(&trust);
	ck_assert_int_eq(ssh_trust_init(&trust, NULL, 0, NULL, "h", 22, &err), 0);
	ck_assert_int_eq(ssh_trust_accept_new(&trust, "nonsense", &err), E_INVAL);
	ssh_trust_release(&trust);
	free(pin);
	free(seen);
}
END_TEST

START_TEST(test_bad_pins)
{
	static const char *const bad[] = {
	    "",
	    "SHA256:",
	    "SHA256:abc",
	    "MD5:aa:bb",
	    "ssh-ed25519",
	    "ssh-dss SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	    "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	    "ssh-ed25519  SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	const char *many[TRUST_PINS_MAX + 1];
	struct ssh_trust trust;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_msg(ssh_trust_init(&trust, &bad[i], 1, NULL, "h", 22, &err) == E_INVAL, "%s", bad[i]);
		ssh_trust_release(&trust);
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	ck_assert_int_eq(ssh_trust_init(&trust, many, ARRAY_LEN(many), NULL, "h", 22, &err), E_INVAL);
	ssh_trust_release(&trust);
}
END_TEST

/* What a server sends as its key may be anything. */
START_TEST(test_strange_blobs)
{
	static const char *const blobs[] = {"", "\0\0\0\0", "\xff\xff\xff\xff", "\0\0\0\3abc", "\0\0\0\x80z"};
	static const size_t lens[] = {0, 4, 4, 7, 5};

	for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
		struct ssh_trust trust;
		struct err err = {.code = 0};
		ck_assert_int_eq(ssh_trust_init(&trust, NULL, 0, NULL, "h", 22, &err), 0);
		ck_assert_int_eq(ssh_trust_judge(&trust, blobs[i], lens[i], &err), HOSTKEY_REFUSED);
		ssh_trust_release(&trust);
	}
}
END_TEST

START_TEST(test_long_lines_and_nul)
{
	static const char nul[] = "h\0 ssh-ed25519 AAAA\ng ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAAWE=\n";
	struct buf text = BUF_INIT;
	struct known_hosts *hosts;

	for (int i = 0; i < 20000; i++)
		buf_addf(&text, "host%d.example.com,", i);
	buf_adds(&text, "h {ed A}\nx\n");
	hosts = hosts_from(buf_str(&text));
	ck_assert_uint_eq(hosts->n, 1);
	ck_assert(known_host_is_for(&hosts->hosts[0], "h", 22));
	ck_assert(known_host_is_for(&hosts->hosts[0], "host19999.example.com", 22));
	ck_assert_uint_eq(hosts->skipped_n, 1);
	known_hosts_free(hosts);
	buf_release(&text);
	log_set_sink(quiet);
	hosts = known_hosts_parse("FILE", nul, sizeof(nul) - 1);
	log_set_sink(NULL);
	ck_assert_uint_eq(hosts->n, 1);
	ck_assert_uint_eq(hosts->skipped_n, 1);
	known_hosts_free(hosts);
}
END_TEST

SUITE(ssh_hostkey)
{
	TEST_CASE_LOOP(s, test_known_hosts, 0, ARRAY_LEN(table));
	TEST_CASE(s, test_pin_with_type);
	TEST_CASE(s, test_pin_without_type);
	TEST_CASE(s, test_pin_without_type_mismatch);
	TEST_CASE(s, test_no_common_type);
	TEST_CASE(s, test_pin_and_file);
	TEST_CASE_LOOP(s, test_new_hosts, 0, ARRAY_LEN(new_hosts));
	TEST_CASE(s, test_new_hosts_pinned);
	TEST_CASE(s, test_bad_pins);
	TEST_CASE(s, test_strange_blobs);
	TEST_CASE(s, test_long_lines_and_nul);
}
