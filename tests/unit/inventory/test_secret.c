#include "tests/unit/inventory/fixture.h"

#include "inventory/secret.h"

#include "base/alloc.h"
#include "base/redact.h"

#include <unistd.h>

static void expect_value(const char *text, const char *wanted)
{
	struct buf out = BUF_INIT;
	struct err err = { 0 };
	int r = secret_resolve(text, &out, &err);

	ck_assert_msg(r == 0, "%s: %s", text, err.text);
	ck_assert_str_eq(buf_str(&out), wanted);
	buf_release_secret(&out);
}

static void expect_error(const char *text, int code, const char *wanted)
{
	struct buf out = BUF_INIT;
	struct err err = { 0 };
	int r = secret_resolve(text, &out, &err);

	ck_assert_msg(r == code && strstr(err.text, wanted), "%s: %d %s, wanted %d %s", text, r, err.text, code,
		      wanted);
	ck_assert_ptr_null(out.data);
}

START_TEST(test_forms)
{
	static const char *const good[] = { "env:A",       "env:_a9",   "env:KEY_{tenant}",      "file:x",
					    "file:/a b/c", "command:a", "command:a 'b c' \"d\"", "credential:a.b" };
	static const char *const bad[] = {
		"",           "hunter22",    "Env:A",         "env:",           "env:9A",
		"env:A B",    "file:",       "command:",      "command: ",      "command:a 'b",
		"command:''", "credential:", "credential:..", "credential:a/b", "ssh-rsa AAAA",
		"file"
	};
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(secret_check(good[i], NULL) == 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		err = (struct err){ 0 };
		ck_assert_msg(secret_check(bad[i], &err) == E_INVAL, "%s", bad[i]);
		ck_assert_ptr_null(strstr(err.text, "hunter22"));
	}
}
END_TEST

START_TEST(test_env)
{
	setenv("INVENTORY_TEST_SECRET", "hunter22\n", 1);
	expect_value("env:INVENTORY_TEST_SECRET", "hunter22");
	setenv("INVENTORY_TEST_SECRET", "short", 1);
	expect_error("env:INVENTORY_TEST_SECRET", E_INVAL, "has 5 bytes; at least 6 are needed");
	unsetenv("INVENTORY_TEST_SECRET");
	expect_error("env:INVENTORY_TEST_SECRET", E_NOTFOUND, "INVENTORY_TEST_SECRET is not set");
}
END_TEST

START_TEST(test_redacted)
{
	struct buf text = BUF_INIT;

	setenv("INVENTORY_TEST_SECRET", "a-very-secret-word", 1);
	expect_value("env:INVENTORY_TEST_SECRET", "a-very-secret-word");
	redact_add(&text, "it says a-very-secret-word!", 27);
	ck_assert_str_eq(buf_str(&text), "it says [secret]!");
	buf_release(&text);
	redact_forget();
}
END_TEST

START_TEST(test_file)
{
	char *f = folder_new(), *ref = str_fmt("file:%s/key", f), *path = folder_path(f, "key"), *big;

	folder_write(f, "key", 0600, "line one\nline two\r\n");
	expect_value(ref, "line one\nline two");
	ck_assert_int_eq(chmod(path, 0640), 0);
	expect_error(ref, E_PERM, "can be read by others (mode 0640); chmod 600 it");
	ck_assert_int_eq(chmod(path, 0604), 0);
	expect_error(ref, E_PERM, "can be read by others");
	ck_assert_int_eq(chmod(path, 0400), 0);
	expect_value(ref, "line one\nline two");
	if (geteuid() == 0) {
		ck_assert_int_eq(chown(path, 4242, 0), 0);
		expect_error(ref, E_PERM, "belongs to another user (uid 4242)");
	}
	unlink(path);
	expect_error(ref, E_NOTFOUND, "cannot be used");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	expect_error(ref, E_INVAL, "is no regular file");
	unlink(path);
	ck_assert_int_eq(symlink("loop", path), 0);
	expect_error(ref, E_NOTFOUND, "cannot be used");
	unlink(path);
	big = mem_new(SECRET_MAX_BYTES + 2, 1);
	memset(big, 'x', SECRET_MAX_BYTES + 1);
	folder_write(f, "key", 0600, big);
	expect_error(ref, E_LIMIT, "is larger than 65536 bytes");
	free(big);
	free(path);
	free(ref);
	folder_remove(f);
}
END_TEST

START_TEST(test_credential)
{
	char *f = folder_new();

	unsetenv("CREDENTIALS_DIRECTORY");
	expect_error("credential:key", E_NOTFOUND, "$CREDENTIALS_DIRECTORY is not set");
	folder_write(f, "key", 0400, "of systemd");
	setenv("CREDENTIALS_DIRECTORY", f, 1);
	expect_value("credential:key", "of systemd");
	expect_error("credential:other", E_NOTFOUND, "other");
	unsetenv("CREDENTIALS_DIRECTORY");
	folder_remove(f);
}
END_TEST

/* No shell: quotes split words, and nothing else of a shell means anything. */
START_TEST(test_command)
{
	expect_value("command:printf %s-%s 'a b' \"c d\"", "a b-c d");
	expect_value("command:printf '%s' 'it'\\''s \"quoted\"'", "it's \"quoted\"");
	expect_value("command:printf %s \"a\\\"b\\\\c\"de\\ f", "a\"b\\cde f");
	expect_value("command:echo $HOME `id` ; true", "$HOME `id` ; true");
	expect_value("command:printf %s%s '' secret-word", "secret-word");
	expect_error("command:false", E_IO, "the secret command false ended with 1");
	expect_error("command:sh -c 'kill -9 $$'", E_IO, "was killed by signal 9");
	expect_error("command:/nowhere/at-all secret-argument", E_NOTFOUND,
		     "the secret command /nowhere/at-all cannot be run");
	expect_error("command:true", E_INVAL, "has 0 bytes");
	expect_error("command:head -c 70000 /dev/zero", E_LIMIT, "gave more than 65536 bytes");
	expect_error("command:cat", E_INVAL, "has 0 bytes"); /* its stdin is empty: it does not wait */
}
END_TEST

/* What it leaves behind holds its output open: it counts as running, and is killed with it. */
START_TEST(test_command_too_slow)
{
	struct buf out = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(secret_resolve_within("command:sleep 1000", 100, &out, &err), E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(err.text, "did not end in time"));
	err = (struct err){ 0 };
	ck_assert_int_eq(secret_resolve_within("command:sh -c 'sleep 1000 & echo secret-word'", 100, &out, &err),
			 E_TIMEOUT);
	ck_assert_int_eq(secret_resolve_within("command:sh -c 'exec >&-; sleep 1000'", 100, &out, &err), E_TIMEOUT);
}
END_TEST

SUITE(secret)
{
	TEST_CASE(s, test_forms);
	TEST_CASE(s, test_env);
	TEST_CASE(s, test_redacted);
	TEST_CASE(s, test_file);
	TEST_CASE(s, test_credential);
	TEST_CASE(s, test_command);
	TEST_CASE(s, test_command_too_slow);
}
