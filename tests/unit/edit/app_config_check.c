#include "tests/unit/edit/app_config_check.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/utf8.h"

static const char *const old_hosts[] = { "old.example", OLD_HOST };
static const char *const new_hosts[] = { NEW_HOST };

const struct app_config_names app_config_test_names = {
	.key = KEY, .old_hosts = old_hosts, .old_n = ARRAY_LEN(old_hosts), .new_host = NEW_HOST
};

bool app_config_has_opinion(const struct app_config *found)
{
	return strcmp(found->evidence, "libxml2 reads the same value") == 0;
}

struct buf app_config_replaced(const char *bytes, size_t len, const struct app_config *found, const char *host)
{
	struct buf out = BUF_INIT;

	ck_assert_uint_le(found->host_offset, len);
	ck_assert_uint_le(found->host_len, len - found->host_offset);
	buf_add(&out, bytes, found->host_offset);
	ck_assert_int_eq(app_config_host_bytes(found, host, &out, NULL), 0);
	buf_add(&out, bytes + found->host_offset + found->host_len, len - found->host_offset - found->host_len);
	return out;
}

/* One assertion a text: each is written down by Check, and these are many. */
static void check_text(const char *text)
{
	const char *at = text;
	size_t len = strlen(text), n = 1;

	for (; len && n; at += n, len -= n) {
		n = utf8_next(at, len, NULL);
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			n = 0;
	}
	ck_assert_msg(n, "not printable: %s", text);
}

/* The host's bytes are the host, in the file's encoding. */
static void check_place(const char *bytes, const struct app_config *found)
{
	struct buf host = BUF_INIT;

	ck_assert_int_eq(app_config_host_bytes(found, found->host, &host, NULL), 0);
	ck_assert(buf_equals(&host, bytes + found->host_offset, found->host_len));
	buf_release(&host);
	ck_assert_uint_ge(found->host_offset, found->element_offset);
	ck_assert_uint_lt(found->host_offset + found->host_len, found->element_offset + found->element_len);
}

static void check_lines(const char *bytes, size_t len, const struct app_config *found)
{
	struct buf was = BUF_INIT, will_be = BUF_INIT;

	app_config_lines(bytes, len, found, NEW_HOST, &was, &will_be);
	check_text(buf_str(&was));
	check_text(buf_str(&will_be));
	ck_assert_ptr_nonnull(strstr(buf_str(&will_be), NEW_HOST));
	ck_assert_ptr_nonnull(strstr(buf_str(&was), found->host));
	ck_assert_ptr_null(strstr(buf_str(&was), "s3cret"));
	ck_assert_ptr_null(strstr(buf_str(&will_be), "s3cret"));
	buf_release(&was);
	buf_release(&will_be);
}

static void check_change(const char *bytes, size_t len, const struct app_config *found)
{
	struct buf out = app_config_replaced(bytes, len, found, NEW_HOST), twice, back;
	struct app_config_names undo = { KEY, new_hosts, 1, found->host };
	struct app_config again;
	char evidence[APP_CONFIG_TEXT_MAX] = "";
	struct err err = { 0 };

	ck_assert_msg(app_config_prove(bytes, len, buf_str(&out), out.len, &app_config_test_names, evidence, &err) == 0,
		      "%s", err.text);
	ck_assert_str_eq(evidence, app_config_has_opinion(found)
				       ? "libxml2 reads both files and sees no other difference"
				       : found->evidence);
	app_config_look(buf_str(&out), out.len, &app_config_test_names, &again);
	ck_assert_int_eq(again.state, APP_CONFIG_NEW);
	ck_assert_str_eq(again.host, NEW_HOST);
	ck_assert_uint_eq(again.host_offset, found->host_offset);
	ck_assert_int_eq(again.line, found->line);
	twice = app_config_replaced(buf_str(&out), out.len, &again, NEW_HOST);
	ck_assert(buf_equals(&twice, buf_str(&out), out.len));
	back = app_config_replaced(buf_str(&out), out.len, &again, found->host);
	ck_assert(buf_equals(&back, bytes, len));
	ck_assert_msg(app_config_prove(buf_str(&out), out.len, bytes, len, &undo, NULL, &err) == 0, "%s", err.text);
	buf_release(&out);
	buf_release(&twice);
	buf_release(&back);
}

static void check_found(const char *bytes, size_t len, const struct app_config *found)
{
	switch (found->state) {
	case APP_CONFIG_OLD:
		ck_assert_uint_gt(found->host_len, 0);
		check_change(bytes, len, found);
		break;
	case APP_CONFIG_NEW:
		break;
	case APP_CONFIG_DRIFT:
		ck_assert_str_ne(found->why, "");
		check_text(found->why);
		ck_assert_ptr_null(strstr(found->why, "s3cret"));
		return;
	}
	ck_assert_int_ge(found->line, 1);
	ck_assert_str_ne(found->evidence, "");
	check_text(found->evidence);
	check_text(found->shown);
	ck_assert_ptr_null(strstr(found->shown, "s3cret"));
	if (found->host_len) {
		check_place(bytes, found);
		check_lines(bytes, len, found);
	}
}

void app_config_check(const char *bytes, size_t len, struct app_config *found)
{
	/* exactly as long as the file, so that a sanitizer sees the first byte beyond */
	char *exact = mem_new(len ? len : 1, 1);

	if (len)
		memcpy(exact, bytes, len);
	app_config_look(exact, len, &app_config_test_names, found);
	check_found(exact, len, found);
	free(exact);
}
