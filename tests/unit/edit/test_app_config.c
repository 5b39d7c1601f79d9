#include "tests/unit/edit/app_config_check.h"
#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"

#define GOLDEN_LEAST 150

/* ---- golden files ----------------------------------------------------------------------------------------------- */

static void describe(const struct app_config *found, struct buf *out)
{
	switch (found->state) {
	case APP_CONFIG_OLD:
		buf_adds(out, "old");
		break;
	case APP_CONFIG_NEW:
		buf_adds(out, "new");
		break;
	case APP_CONFIG_DRIFT:
		buf_addf(out, "drift %ld %s\n", found->line, found->why);
		return;
	}
	buf_addf(out, " %ld %s\n%s, libxml2: %s\n", found->line, found->shown, found->encoding,
		 app_config_has_opinion(found) ? "same" : "none");
}

static void one_golden(const char *name, const struct buf *in)
{
	struct app_config found;
	struct buf said = BUF_INIT;

	app_config_check(buf_str(in), in->len, &found);
	describe(&found, &said);
	golden_same(name, ".want", buf_str(&said), said.len);
	if (found.state == APP_CONFIG_OLD) {
		struct buf out = app_config_replaced(buf_str(in), in->len, &found, NEW_HOST);

		golden_same(name, ".out", buf_str(&out), out.len);
		buf_release(&out);
	}
	buf_release(&said);
}

START_TEST(test_golden)
{
	ck_assert_int_ge(golden_each("appconfig", ".config", one_golden), GOLDEN_LEAST);
}
END_TEST

/* ---- damage ----------------------------------------------------------------------------------------------------- */

/* What may be missing at the end of a file that still says the same: white space, comments, a half of one is too much.
 */
static void each_beginning(const char *name, const struct buf *in)
{
	struct app_config whole, found;

	app_config_look(buf_str(in), in->len, &app_config_test_names, &whole);
	for (size_t len = 0; len < in->len; len++) {
		app_config_check(buf_str(in), len, &found);
		if (found.state != APP_CONFIG_OLD || whole.state != APP_CONFIG_OLD)
			continue;
		ck_assert_msg(found.host_offset == whole.host_offset && found.host_len == whole.host_len, "%s: %zu",
			      name, len);
	}
}

START_TEST(test_each_beginning)
{
	ck_assert_int_ge(golden_each("appconfig", ".config", each_beginning), GOLDEN_LEAST);
}
END_TEST

/* The root element's end is the last thing that a file needs: shorter than that, it is never OLD. */
static void shorter_than_root(const char *name, const struct buf *in)
{
	struct app_config found;
	const char *end = memmem(buf_str(in), in->len, "</configuration>", 16);

	if (!end)
		return;
	for (size_t len = 0; len < (size_t)(end - buf_str(in)) + 16; len++) {
		app_config_look(buf_str(in), len, &app_config_test_names, &found);
		ck_assert_msg(found.state == APP_CONFIG_DRIFT, "%s: %zu bytes", name, len);
	}
}

START_TEST(test_shorter_than_its_root)
{
	ck_assert_int_ge(golden_each("appconfig", ".config", shorter_than_root), GOLDEN_LEAST);
}
END_TEST

static int flips_old;

static void try_flip(const char *name, const struct buf *in, size_t at, char c)
{
	struct buf text = BUF_INIT;
	struct app_config found;

	buf_add(&text, buf_str(in), in->len);
	text.data[at] = c;
	app_config_check(buf_str(&text), text.len, &found);
	flips_old += found.state == APP_CONFIG_OLD;
	ck_assert_msg(!strstr(found.why, "libxml2"), "%s, byte %zu as %02x: %s", name, at, (unsigned char)c, found.why);
	buf_release(&text);
}

static void each_byte(const char *name, const struct buf *in)
{
	static const char characters[] = "<>&\"'=-!?/ \n\r]";

	for (size_t at = 0; at < in->len; at++) {
		for (int bit = 0; bit < 8; bit++)
			try_flip(name, in, at, (char)(in->data[at] ^ 1 << bit));
		for (size_t i = 0; i < sizeof(characters); i++)
			try_flip(name, in, at, characters[i]);
	}
}

/* Each byte of a file changed in each bit, and to each character that means something: nothing that the scanner then
   takes is read differently by libxml2. */
START_TEST(test_each_byte)
{
	static const char *const names[] = {
		"plain",     "bom",      "utf-16le",       "utf-16be-no-mark",    "cp932-undeclared",
		"shift-jis", "userinfo", "comment-tricks", "spaces-around-equals"
	};
	char *name = str_fmt(SOURCE_DIR "/tests/golden/edit/appconfig/%s", names[_i]);
	struct buf in = golden_read(name, ".config");

	each_byte(name, &in);
	ck_assert_int_gt(flips_old, 100);
	buf_release(&in);
	free(name);
}
END_TEST

/* ---- limits ----------------------------------------------------------------------------------------------------- */

#define LARGE ((size_t)4 << 20)

static void look_at(const struct buf *text, struct app_config *found)
{
	app_config_look(buf_str(text), text->len, &app_config_test_names, found);
}

START_TEST(test_thousand_keys)
{
	struct buf text = BUF_INIT;
	struct app_config found;

	buf_adds(&text, "<configuration><appSettings>\n");
	for (int i = 0; i < 1000; i++) {
		if (i == 617)
			buf_adds(&text, "<add key=\"" KEY "\" value=\"https://" OLD_HOST "/\"/>\n");
		buf_addf(&text, "<add key=\"" KEY "%d\" value=\"https://" OLD_HOST "/\"/>\n", i);
	}
	buf_adds(&text, "</appSettings></configuration>\n");
	app_config_check(buf_str(&text), text.len, &found);
	ck_assert_int_eq(found.state, APP_CONFIG_OLD);
	ck_assert_int_eq(found.line, 619);
	buf_release(&text);
}
END_TEST

START_TEST(test_thousand_times_the_key)
{
	struct buf text = BUF_INIT;
	struct app_config found;

	buf_adds(&text, "<configuration><appSettings>\n");
	for (int i = 0; i < 1000; i++)
		buf_adds(&text, "<add key=\"" KEY "\" value=\"https://" OLD_HOST "/\"/>\n");
	buf_adds(&text, "</appSettings></configuration>\n");
	app_config_check(buf_str(&text), text.len, &found);
	ck_assert_int_eq(found.state, APP_CONFIG_DRIFT);
	ck_assert_str_eq(found.why, "has the key " KEY " again (the first one is in line 2)");
	buf_release(&text);
}
END_TEST

/* What a scanner that is not linear would take hours for: the front, one piece again and again, what is said. */
static const struct {
	const char *front, *piece, *why;
} large[] = {
	{ "", "\0", "is not well-formed XML: a character stands there that XML does not allow (byte 0)" },
	{ "", "\n", "holds no element" },
	{ "", "<", "is not well-formed XML: a < begins nothing (byte 1)" },
	{ "", "<a>", "has elements that are nested deeper than is read (byte 300)" },
	{ "", "<!---->", "holds no element" },
	{ "", "<!--", "is not well-formed XML: -- stands in a comment" },
	{ "<!--", "- ", "is not well-formed XML: a comment does not end (byte 4)" },
	{ "<?x ", "?", "is not well-formed XML: a processing instruction does not end (byte 2)" },
	{ "<a><![CDATA[", "]", "is not well-formed XML: CDATA does not end (byte 12)" },
	{ "<a><![CDATA[", "]] ", "is not well-formed XML: CDATA does not end (byte 12)" },
	{ "<a>", "&#x0;", "is not well-formed XML: an & begins none" },
	{ "<a>&#", "0", "is not well-formed XML: an & begins none" },
	{ "<a>", "&amp;", "is not well-formed XML: it ends before its elements end" },
	{ "<a>", "<b/>", "is not well-formed XML: it ends before its elements end" },
	{ "<a>", "<b></b>", "is not well-formed XML: it ends before its elements end" },
	{ "<", "a", "is not well-formed XML: a tag does not end (byte 0)" },
	{ "<a ", " ", "is not well-formed XML: a tag does not end (byte 0)" },
	{ "<a b='", "c", "is not well-formed XML: an attribute's value does not end (byte 5)" },
	{ "<a b='", "&lt;", "is not well-formed XML: an attribute's value does not end (byte 5)" },
	{ "<a", " a=''", "is not well-formed XML: an element has the same attribute twice" },
	{ "<?xml ", " ", "has an XML declaration that is not well-formed (UTF-8)" },
	{ "<?xml version='", "1", "has an XML declaration that is not well-formed (UTF-8)" },
	{ "<configuration><appSettings>", "<add key='" KEY "' value='https://a/'/>",
	  "is not well-formed XML: it ends" },
	{ "<configuration><appSettings>", "<remove key='" KEY "'/><clear/>", "is not well-formed XML: it ends" },
	{ "<configuration><appSettings><add key='" KEY "' value='https://", "a",
	  "is not well-formed XML: an attribute's" },
	{ "<configuration>", "<appSettings file='a' configSource='b'/>", "is not well-formed XML: it ends before" },
	{ "<!-- \x83", "\x83", "is not well-formed XML: a comment does not end" },
};

START_TEST(test_large)
{
	struct buf text = BUF_INIT;
	struct app_config found;
	size_t piece = *large[_i].piece ? strlen(large[_i].piece) : 1;

	buf_adds(&text, large[_i].front);
	while (text.len < LARGE)
		buf_add(&text, large[_i].piece, piece);
	look_at(&text, &found);
	ck_assert_int_eq(found.state, APP_CONFIG_DRIFT);
	ck_assert_msg(strncmp(found.why, large[_i].why, strlen(large[_i].why)) == 0, "%s", found.why);
	buf_release(&text);
}
END_TEST

/* A file that is good, with a mebibyte of each of these in it. */
static const char *const fillers[] = {
	"<!-- \xe8\xa1\xa8 - -->",
	"<x><![CDATA[ ]] ]]></x>",
	"<x a='&amp;' b='2'>&#65;</x>\r\n",
	"<group><add key='" KEY "' value=''/></group>",
	"<add key='x' value='https://" OLD_HOST "/'/>",
	"\r\n",
	"<?y ? > ?>",
	"text ] ",
};

START_TEST(test_mebibyte)
{
	struct buf text = BUF_INIT;
	struct app_config found;

	buf_adds(&text, "<configuration><appSettings>");
	while (text.len < (size_t)1 << 19)
		buf_adds(&text, fillers[_i]);
	buf_adds(&text, "<add key='" KEY "' value='https://" OLD_HOST "/'/>");
	while (text.len < (size_t)1 << 20)
		buf_adds(&text, fillers[_i]);
	buf_adds(&text, "</appSettings></configuration>");
	app_config_check(buf_str(&text), text.len, &found);
	ck_assert_msg(found.state == APP_CONFIG_OLD, "%s", found.why);
	ck_assert(app_config_has_opinion(&found));
	buf_release(&text);
}
END_TEST

static void add_attributes(struct buf *text, int n)
{
	buf_adds(text, "<configuration><appSettings><x");
	for (int i = 0; i < n; i++)
		buf_addf(text, " a%d=''", i);
	buf_adds(text, "/><add key='" KEY "' value='https://" OLD_HOST "/'/></appSettings></configuration>");
}

START_TEST(test_attributes)
{
	struct buf text = BUF_INIT;
	struct app_config found;

	add_attributes(&text, 64);
	app_config_check(buf_str(&text), text.len, &found);
	ck_assert_int_eq(found.state, APP_CONFIG_OLD);
	buf_clear(&text);
	add_attributes(&text, 65);
	app_config_check(buf_str(&text), text.len, &found);
	ck_assert_int_eq(found.state, APP_CONFIG_DRIFT);
	ck_assert_ptr_nonnull(strstr(found.why, "more attributes than are read"));
	buf_release(&text);
}
END_TEST

/* ---- the host's bytes, the lines, the proof --------------------------------------------------------------------- */

START_TEST(test_host_bytes)
{
	static const struct app_config narrow = { 0 }, little = { .wide = true },
				       big = { .wide = true, .big_endian = true };
	struct buf out = BUF_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(app_config_host_bytes(&narrow, "a.b", &out, &err), 0);
	ck_assert(buf_equals(&out, "a.b", 3));
	buf_clear(&out);
	ck_assert_int_eq(app_config_host_bytes(&little, "a.b", &out, &err), 0);
	ck_assert(buf_equals(&out, "a\0.\0b\0", 6));
	buf_clear(&out);
	ck_assert_int_eq(app_config_host_bytes(&big, "a.b", &out, &err), 0);
	ck_assert(buf_equals(&out, "\0a\0.\0b", 6));
	buf_clear(&out);
	ck_assert_int_eq(app_config_host_bytes(&narrow, "a\"b", &out, &err), E_INVAL);
	ck_assert_str_eq(err.text, "a\"b is no host name");
	ck_assert_int_eq(app_config_host_bytes(&narrow, "", &out, &err), E_INVAL);
	ck_assert_int_eq(app_config_host_bytes(&narrow, "a/b", &out, &err), E_INVAL);
	ck_assert_uint_eq(out.len, 0);
	buf_release(&out);
}
END_TEST

#define CONFIG(inner) "<configuration>\n<appSettings>" inner "</appSettings>\n</configuration>\n"
#define ADD(value) "<add key=\"" KEY "\" value=\"" value "\"/>"

static const struct {
	const char *file, *was, *will_be;
} lines[] = {
	{ CONFIG("<add key=\"PASSWORD\" value=\"s3cret\"/>" ADD("https://" OLD_HOST
								"/x") "<add key=\"P2\" value=\"s3cret\"/>"),
	  ADD("https://" OLD_HOST "/x"), ADD("https://" NEW_HOST "/x") },
	{ CONFIG(ADD("https://me:s3cret@" OLD_HOST ":443/?pw=s3cret&amp;a")), ADD("https://…@" OLD_HOST ":443/…"),
	  ADD("https://…@" NEW_HOST ":443/…") },
	{ CONFIG("<add\r\n\tvalue = 'http://s3&#99;ret&#64;US.IMHS-WS.trendmicro.com.'\r\n key='" KEY "'\n>\n</add>"),
	  "<add value = 'http://…&#64;US.IMHS-WS.trendmicro.com.' key='" KEY "' >",
	  "<add value = 'http://…&#64;" NEW_HOST "' key='" KEY "' >" },
	{ CONFIG("<add x=\"\xe8\xa1\xa8 \x83\x7c\" "
		 "key='" KEY "' value='https://" OLD_HOST "'/>"),
	  "<add x=\"表 \xef\xbf\xbd|\" key='" KEY "' value='https://" OLD_HOST "'/>",
	  "<add x=\"表 \xef\xbf\xbd|\" key='" KEY "' value='https://" NEW_HOST "'/>" },
};

START_TEST(test_lines)
{
	const char *file = lines[_i].file;
	struct buf was = BUF_INIT, will_be = BUF_INIT;
	struct app_config found;

	app_config_look(file, strlen(file), &app_config_test_names, &found);
	ck_assert_msg(found.state == APP_CONFIG_OLD, "%s", found.why);
	app_config_lines(file, strlen(file), &found, NEW_HOST, &was, &will_be);
	ck_assert_str_eq(buf_str(&was), lines[_i].was);
	ck_assert_str_eq(buf_str(&will_be), lines[_i].will_be);
	buf_release(&was);
	buf_release(&will_be);
}
END_TEST

#define BEFORE CONFIG("<!-- a -->" ADD("https://" OLD_HOST "/x"))
#define AFTER CONFIG("<!-- a -->" ADD("https://" NEW_HOST "/x"))

static const struct {
	const char *before, *now, *why; /* why NULL: it is the change */
} proofs[] = {
	{ BEFORE, AFTER, NULL },
	{ BEFORE, BEFORE, "the changed file still names the old host" },
	{ AFTER, AFTER, "the file before the change names the new host already" },
	{ BEFORE, "", "the changed file is empty" },
	{ "", AFTER, "the file before the change is empty" },
	{ BEFORE, AFTER "\n", "the changed file differs from the one before in more than the host name" },
	{ BEFORE, CONFIG("<!-- b -->" ADD("https://" NEW_HOST "/x")),
	  "the changed file differs from the one before in more than the host name" },
	{ BEFORE, CONFIG("<!-- a -->" ADD("https://" NEW_HOST "/y")),
	  "the changed file differs from the one before in more than the host name" },
	{ BEFORE, CONFIG("<!-- aa -->" ADD("https://" NEW_HOST "/x")),
	  "the changed file differs from the one before in more than the host name" },
	{ BEFORE, CONFIG("<!-- a -->" ADD("https://WS.acme.hes2.example/x")),
	  "the changed file does not have the host name as it was to be written" },
	{ BEFORE, CONFIG("<!-- a -->" ADD("https://" NEW_HOST "./x")),
	  "the changed file does not have the host name as it was to be written" },
	{ BEFORE, CONFIG("<!-- a -->" ADD("https://other.example/x")),
	  "the changed file names other.example, which is neither the vendor's old name nor the new one (" NEW_HOST
	  "): decide what it should be" },
	{ BEFORE, CONFIG("<!-- a -->" ADD("https://" NEW_HOST "/x") "<clear/>"),
	  "the changed file takes the key " KEY " of line 2 away again" },
};

START_TEST(test_proofs)
{
	const char *before = proofs[_i].before, *now = proofs[_i].now;
	char evidence[APP_CONFIG_TEXT_MAX] = "";
	struct err err = { 0 };
	int rc = app_config_prove(before, strlen(before), now, strlen(now), &app_config_test_names, evidence, &err);

	ck_assert_int_eq(rc, proofs[_i].why ? E_INVAL : 0);
	if (proofs[_i].why)
		ck_assert_str_eq(err.text, proofs[_i].why);
	else
		ck_assert_str_eq(evidence, "libxml2 reads both files and sees no other difference");
}
END_TEST

/* Each byte of the changed file damaged: the proof fails, whichever it is. */
START_TEST(test_proof_of_each_byte)
{
	char now[] = AFTER;

	for (size_t i = 0; i < sizeof(now) - 1; i++) {
		for (int bit = 0; bit < 8; bit++) {
			struct err err = { 0 };

			now[i] = (char)(now[i] ^ 1 << bit);
			ck_assert_int_eq(app_config_prove(BEFORE, strlen(BEFORE), now, strlen(AFTER),
							  &app_config_test_names, NULL, &err),
					 E_INVAL);
			ck_assert_str_ne(err.text, "");
			now[i] = (char)(now[i] ^ 1 << bit);
		}
	}
}
END_TEST

SUITE(app_config)
{
	TEST_CASE(s, test_golden);
	TEST_CASE(s, test_each_beginning);
	TEST_CASE(s, test_shorter_than_its_root);
	TEST_CASE_LOOP(s, test_each_byte, 0, 7);
	TEST_CASE(s, test_thousand_keys);
	TEST_CASE(s, test_thousand_times_the_key);
	TEST_CASE_LOOP(s, test_large, 0, ARRAY_LEN(large));
	TEST_CASE_LOOP(s, test_mebibyte, 0, ARRAY_LEN(fillers));
	TEST_CASE(s, test_attributes);
	TEST_CASE(s, test_host_bytes);
	TEST_CASE_LOOP(s, test_lines, 0, ARRAY_LEN(lines));
	TEST_CASE_LOOP(s, test_proofs, 0, ARRAY_LEN(proofs));
	TEST_CASE(s, test_proof_of_each_byte);
}
