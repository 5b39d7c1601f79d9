#include "transport/ssh_banner.h"

#include "base/alloc.h"
#include "tests/lib/unit.h"

/* What a server sends, and what becomes of it. `left`: what begins the replay to libssh2. */
static const struct {
	const char *sent;
	int result;
	const char *version, *left, *says;
} table[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", 1, "SSH-2.0-OpenSSH_9.2", "SSH-2.0-OpenSSH_9.2\r\n", NULL},
    {"SSH-2.0-x\n", 1, "SSH-2.0-x", "SSH-2.0-x\n", NULL},
    {"SSH-1.99-old\r\n", 1, "SSH-1.99-old", "SSH-1.99-old\r\n", NULL},
    {"SSH-2.0-x\r\nmore", 1, "SSH-2.0-x", "SSH-2.0-x\r\nmore", NULL},
    {"Welcome\r\nto here\r\nSSH-2.0-x\r\n", 1, "SSH-2.0-x", "SSH-2.0-x\r\n", NULL},
    {"\r\n\nSSH-2.0-x\r\n", 1, "SSH-2.0-x", "SSH-2.0-x\r\n", NULL},
    {"SSH-2.0-\x1b[31m\r\n", 1, "SSH-2.0-?[31m", "SSH-2.0-\x1b[31m\r\n", NULL},
    {"", 0, "", "", NULL},
    {"SSH-2.0-x", 0, "", "SSH-2.0-x", NULL},
    {"hello\nSSH-", 0, "", "SSH-", NULL},
    {"SSH-1.5-old\n", E_PROTOCOL, NULL, NULL, "another version of SSH"},
    {"SSH-3.0-new\n", E_PROTOCOL, NULL, NULL, "another version of SSH"},
    {"SSH-\n", E_PROTOCOL, NULL, NULL, "another version of SSH"},
    {"\x15\x03\x01", E_PROTOCOL, NULL, NULL, "no SSH server"},
    {"text\n\x01\x02", E_PROTOCOL, NULL, NULL, "no SSH server"},
};

static int take(struct ssh_banner *banner, const char *bytes, size_t len, struct err *err)
{
	buf_add(&banner->in, bytes, len);
	return ssh_banner_take(banner, err);
}

static void check(size_t i, const struct ssh_banner *banner, int r, const struct err *err)
{
	ck_assert_msg(r == table[i].result, "%zu: %d %s", i, r, err->text);
	if (table[i].version)
		ck_assert_str_eq(banner->version, table[i].version);
	if (table[i].left)
		ck_assert_str_eq(buf_str(&banner->in), table[i].left);
	if (table[i].says)
		ck_assert_ptr_nonnull(strstr(err->text, table[i].says));
}

START_TEST(test_at_once)
{
	struct ssh_banner banner;
	struct err err = {.code = 0};
	int r;

	ssh_banner_init(&banner);
	r = take(&banner, table[_i].sent, strlen(table[_i].sent), &err);
	check((size_t)_i, &banner, r, &err);
	ssh_banner_release(&banner);
}
END_TEST

START_TEST(test_byte_by_byte)
{
	struct ssh_banner banner;
	struct err err = {.code = 0};
	const char *at = table[_i].sent;
	int r = 0;

	ssh_banner_init(&banner);
	for (; *at && r == 0; at++)
		r = take(&banner, at, 1, &err);
	if (r >= 0)
		buf_adds(&banner.in, at);
	check((size_t)_i, &banner, r, &err);
	ssh_banner_release(&banner);
}
END_TEST

START_TEST(test_limits)
{
	struct ssh_banner banner;
	struct err err = {.code = 0};
	char line[300];
	int r = 0, lines = 0;

	memset(line, 'x', sizeof(line));
	line[99] = '\n';
	ssh_banner_init(&banner);
	while (r == 0 && lines++ < 10000)
		r = take(&banner, line, 100, &err);
	ck_assert_int_eq(r, E_PROTOCOL);
	ck_assert_int_le(lines, SSH_BANNER_MAX / 100 + 1);
	ssh_banner_release(&banner);

	/* One line that does not end, given in pieces; memory stays small. */
	ssh_banner_init(&banner);
	for (r = 0, lines = 0; r == 0 && lines < 10000; lines++)
		r = take(&banner, line, 90, &err);
	ck_assert_int_eq(r, E_PROTOCOL);
	ck_assert_uint_le(banner.in.len, 2 * SSH_BANNER_MAX);
	ssh_banner_release(&banner);

	/* RFC 4253 §4.2: 255 characters with CR and LF. */
	memcpy(line, "SSH-2.0-", 8);
	memset(line + 8, 'x', sizeof(line) - 8);
	ssh_banner_init(&banner);
	line[254] = '\n';
	ck_assert_int_eq(take(&banner, line, 255, &err), 1);
	ssh_banner_release(&banner);
	ssh_banner_init(&banner);
	line[254] = 'x';
	line[255] = '\n';
	ck_assert_int_eq(take(&banner, line, 256, &err), E_PROTOCOL);
	ssh_banner_release(&banner);
	ssh_banner_init(&banner);
	ck_assert_int_eq(take(&banner, "SSH-2.0-a\0b\n", 12, &err), E_PROTOCOL);
	ssh_banner_release(&banner);
}
END_TEST

SUITE(ssh_banner)
{
	TEST_CASE_LOOP(s, test_at_once, 0, ARRAY_LEN(table));
	TEST_CASE_LOOP(s, test_byte_by_byte, 0, ARRAY_LEN(table));
	TEST_CASE(s, test_limits);
}
