#include "tests/unit/inventory/fixture.h"

#include "inventory/key_file.h"

#include "base/alloc.h"

/* The beginnings of keys as ssh-keygen and openssl write them. */
static const struct {
	const char *text;
	bool locked;
} rows[] = {
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW",
	  false },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDDjpyFQ9", true },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktd\r\n jEAAAAABG5vb\r\nmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAt",
	  false },
	{ "x\n\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAAFGNoYWNoYTIwLXBvbHkxMzA1QG9wZW5z", true },
	{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI", true },
	{ "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0123\n\nAAAA", true },
	{ "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAuQ\n", false },
	{ "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEI\n", false },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----\nnot of that kind\n", false },
	{ "-----BEGIN OPENSSH PRIVATE KEY-----", false },
	{ "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\n", false },
	{ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI comment", false },
	{ "", false },
};

START_TEST(test_locked)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(key_file_is_locked(rows[i].text, strlen(rows[i].text)) == rows[i].locked, "row %zu", i);
	ck_assert(!key_file_is_locked(NULL, 0));
}
END_TEST

/* Cut anywhere it is read within its bounds; what is certain needs the cipher's name. */
START_TEST(test_truncated)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t len = 0; len < strlen(rows[i].text); len++) {
			char *part = str_ndup(rows[i].text, len);
			bool locked = key_file_is_locked(part, len);
			ck_assert(!locked || rows[i].locked);
			free(part);
		}
	}
}
END_TEST

static void check_key(const char *text, const char *more, const char *wanted)
{
	char *f = folder_new(), *path, *inventory, *said;
	struct problems problems = { 0 };
	struct inventory *inv = NULL;

	inventory = str_fmt(
		"{'inventory':1,'procedure':'hes-1-to-2','profile':'hes-global','defaults':{'user':'u','identity':'file:key'%s},"
		"'tenants':[{'id':'a','migration_date':'2026-12-05','new_fqdn':'a.hes2.example','windows':[{'start':"
		"'2026-12-08T22:00:00+09:00','end':'2026-12-09T05:00:00+09:00'}],'hosts':[{'name':'h1','address':'192.168.1.1','os':'linux'," HOST_KEY
		",'agents':[{'agent':'ruby-client'}]},{'name':'h2','address':'192.168.1.2','os':'linux'," HOST_KEY
		",'agents':[{'agent':'ruby-client'}]}]}]}",
		more);
	path = quoted(inventory);
	folder_write(f, "inv.json", 0600, path);
	folder_write(f, "key", 0600, text);
	free(path);
	path = folder_path(f, "inv.json");
	inventory_load(path, &file_source_disk, &inv, &problems, NULL);
	said = problems_text(&problems);
	if (wanted)
		ck_assert_msg(problems.n == 1 && strstr(said, wanted), "%s", said);
	else
		ck_assert_msg(inv != NULL, "%s", said);
	free(said);
	inventory_free(inv);
	problems_release(&problems);
	free(inventory);
	free(path);
	folder_remove(f);
}

/* Said once, however many hosts take the key. */
START_TEST(test_said_by_validate)
{
	static const char wanted[] = "has a passphrase: say where that is by \"identity_passphrase\"";

	check_key(rows[0].text, "", NULL);
	check_key(rows[1].text, "", wanted);
	check_key(rows[4].text, "", wanted);
	check_key(rows[5].text, "", wanted);
	check_key(rows[1].text, ",'identity_passphrase':'env:P'", NULL);
}
END_TEST

SUITE(key_file)
{
	TEST_CASE(s, test_locked);
	TEST_CASE(s, test_truncated);
	TEST_CASE(s, test_said_by_validate);
}
