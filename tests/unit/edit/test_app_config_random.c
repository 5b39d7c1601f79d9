/*
 * Configuration files put together at random (fixed seed, or CUTOVER_SEED) in all encodings that are read, with what is
 * hard to read around the one value. The generator knows what is right: state, place, and the bytes after the change.
 */
#include "tests/unit/edit/app_config_check.h"
#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"

#include <iconv.h>

#define FILES 6000

/* ---- encodings -------------------------------------------------------------------------------------------------- */

static const struct encoding {
	const char *iconv_name, *declared, *mark; /* declared NULL: no declaration at all; "": one without encoding= */
	size_t mark_len;
	const char *words; /* what can be written in it besides ASCII */
	bool undeclared;   /* not the encoding that it should be in: libxml2 cannot read the words */
} encodings[] = {
	{ "UTF-8", "utf-8", "", 0, "接続先 表ポソゾ 🗾 é", false },
	{ "UTF-8", "UTF-8", "\xef\xbb\xbf", 3, "接続先 表ポソゾ 🗾 é", false },
	{ "UTF-8", "", "", 0, "接続先 表ポソゾ 🗾 é", false },
	{ "UTF-8", NULL, "", 0, "接続先 表ポソゾ 🗾 é", false },
	{ "UTF-8", NULL, "\xef\xbb\xbf", 3, "接続先 表ポソゾ 🗾 é", false },
	{ "UTF-16LE", "utf-16", "\xff\xfe", 2, "接続先 表ポソゾ 🗾 é <㼼㸼∢✧>", false },
	{ "UTF-16BE", "utf-16", "\xfe\xff", 2, "接続先 表ポソゾ 🗾 é <㼼㸼∢✧>", false },
	{ "UTF-16LE", NULL, "\xff\xfe", 2, "接続先 🗾", false },
	{ "UTF-16BE", "", "\xfe\xff", 2, "接続先 🗾", false },
	{ "UTF-16LE", "utf-16", "", 0, "接続先 🗾", false },
	{ "UTF-16BE", "UTF-16", "", 0, "接続先 🗾", false },
	{ "UTF-16LE", NULL, "", 0, "接続先 🗾", false },
	{ "CP932", "shift_jis", "", 0, "接続先 表ポソゾ能 ｱｲ", false },
	{ "CP932", "Windows-31J", "", 0, "接続先 表ポソゾ能 ｱｲ", false },
	{ "EUC-JP", "euc-jp", "", 0, "接続先 表ポソゾ能", false },
	{ "ISO-8859-1", "iso-8859-1", "", 0, "été für", false },
	{ "WINDOWS-1252", "Windows-1252", "", 0, "été „für“", false },
	{ "GBK", "gbk", "", 0, "地址 丂 猐", false },
	{ "BIG5", "big5", "", 0, "功許 址", false },
	{ "US-ASCII", "us-ascii", "", 0, "", false },
	{ "CP932", NULL, "", 0, "接続先 表ポソ能", true },
	{ "CP932", "utf-8", "", 0, "接続先 表ポソ能", true },
	{ "CP932", "us-ascii", "", 0, "接続先 表ポソ能", true },
	{ "ISO-8859-1", NULL, "", 0, "été für", true },
};

/* UTF-8 to the file's encoding. */
static void add_encoded(struct buf *out, const struct encoding *encoding, const char *text, size_t len)
{
	iconv_t converter = iconv_open(encoding->iconv_name, "UTF-8");
	char room[256], *from = (char *)(uintptr_t)text;

	ck_assert_msg(converter != (iconv_t)-1, "%s", encoding->iconv_name);
	while (len) {
		char *to = room;
		size_t left = sizeof(room), before = len;

		iconv(converter, &from, &len, &to, &left);
		ck_assert_msg(len < before, "%s: cannot write %s", encoding->iconv_name, from);
		buf_add(out, room, sizeof(room) - left);
	}
	iconv_close(converter);
}

/* ---- the generator ---------------------------------------------------------------------------------------------- */

enum fault { NO_FAULT, OTHER_HOST, ABSENT, TWICE, CLEARED, REMOVED, SOURCE, ENCRYPTED, SECTIONS, BY_REFERENCE, FAULTS };

/* One file in UTF-8: what is in front of the host and what is behind it. */
struct made {
	struct buf front, behind;
	struct buf *now; /* one of them */
	const struct encoding *encoding;
	const char *host;
	enum fault fault;
	bool is_new, words;
};

#define PICK(list) ((list)[golden_random(ARRAY_LEN(list))])
#define CHANCE(n) (golden_random(n) == 0)

static void put(struct made *m, const char *text)
{
	buf_adds(m->now, text);
}

static void put_line_end(struct made *m)
{
	static const char *const ends[] = { "\n", "\r\n", "\n  ", "\r\n\t", "\r", "\n\n", " ", "" };

	put(m, PICK(ends));
}

static void put_space(struct made *m)
{
	static const char *const spaces[] = { " ", "  ", "\t", "\n", "\r\n      ", " \r" };

	put(m, PICK(spaces));
}

static void put_words(struct made *m)
{
	if (!*m->encoding->words || !CHANCE(3))
		return;
	put(m, m->encoding->words);
	m->words = true;
}

static void put_comment(struct made *m)
{
	static const char *const pieces[] = {
		" <add key=\"" KEY "\" value=\"https://" OLD_HOST "/\"/> ",
		"",
		" configSource=\"x\" ",
		" > - -> \"' ",
		" <![CDATA[ ",
		"</appSettings><clear/>",
		" <!DOCTYPE x> ",
		" & &amp; ",
	};

	put(m, "<!--");
	put(m, PICK(pieces));
	put_words(m);
	put(m, PICK(pieces));
	put(m, "-->");
}

static void put_misc(struct made *m)
{
	put_line_end(m);
	switch (golden_random(5)) {
	case 0:
		put_comment(m);
		break;
	case 1:
		put(m, "<?x <add key='" KEY "' value='https://" OLD_HOST "/'/> > '");
		put_words(m);
		put(m, "?>");
		break;
	case 2:
		put_comment(m);
		put_misc(m);
		break;
	}
	put_line_end(m);
}

static void put_cdata(struct made *m)
{
	put(m, "<![CDATA[ <add key=\"" KEY "\" value=\"https://" OLD_HOST "/\"/>]] > </x>");
	/* half of a character in front of the end is read differently by different programs, and drift */
	if (!m->encoding->undeclared)
		put_words(m);
	put(m, "]]>");
}

/* A section that is not ours. */
static void put_section(struct made *m)
{
	static const char *const sections[] = {
		"<connectionStrings configSource='c.config'><add key='" KEY "' value='https://" OLD_HOST "/'/>"
		"</connectionStrings>",
		"<vendor><appSettings file=\"x\"><add key=\"" KEY "\" value=\"https://" OLD_HOST
		"/\"/></appSettings></vendor>",
		"<startup\n><supportedRuntime version='v4.0' sku=\".NETFramework,Version=v4.0\" /></startup >",
		"<runtime><assemblyBinding xmlns=\"urn:schemas-microsoft-com:asm.v1\"/></runtime>",
		"<AppSettings><add key='" KEY "' value='https://" OLD_HOST "/'/></AppSettings>",
		"<location path='a'><system.web/></location>",
		"<e.-_1 a=\"&#x41;&lt;&#10;\"/>",
	};

	put_misc(m);
	put(m, PICK(sections));
	if (CHANCE(2)) {
		put(m, "<x>&gt; ");
		put_cdata(m);
		put(m, "</x>");
	}
	put_misc(m);
}

static void put_other_add(struct made *m)
{
	static const char *const others[] = {
		"<add key=\"PROXY\" value=\"http://proxy.example:8080/\"/>",
		"<add value='s3cret' key='" KEY "_2'/>",
		"<add key='X' value=\"" KEY "\"></add>",
		"<add key=' " KEY "' value=\"https://" OLD_HOST "/\"/>",
		"<add x:key='" KEY "' value=\"1\" xmlns:x='y'/>",
		"<Add key='" KEY "' value=\"1\"/>",
		"<add name='" KEY "' value=\"1\"/>",
		"<add key='a' value=\"key='" KEY "' value='https://" OLD_HOST "/'\"/>",
		"<group><add key='" KEY "' value=\"1\"/><clear/></group>",
		"<remove key='other'/>",
	};

	put_misc(m);
	put(m, PICK(others));
	put_misc(m);
}

static void put_key(struct made *m)
{
	static const char *const keys[] = { KEY, KEY, "WS&#x5F;SERVICE&#95;URI", "&#87;S_SERVICE_UR&#x0049;" };
	const char *quote = CHANCE(2) ? "'" : "\"";

	put(m, "key");
	if (CHANCE(3))
		put_space(m);
	put(m, "=");
	if (CHANCE(3))
		put_space(m);
	put(m, quote);
	put(m, PICK(keys));
	put(m, quote);
}

/* With the place where the host stands. */
static void put_value(struct made *m)
{
	static const char *const before[] = { "https://",           "https://",
					      "https://",           "http://",
					      "HTTPS://",           "&#104;ttps:&#x2F;/",
					      "https://me:s3cret@", "https://me&amp;s3cret&#64;",
					      "  https://" };
	static const char *const behind[] = {
		"/imhs/v1.0/en/", "/imhs/v1.0/en", "",      "/", ":443/", ":8443", "?a=4711&amp;b", "/a&#x20;b/", "#x",
		"/@b.example/",   "/x ",           "&#47;x"
	};
	const char *quote = CHANCE(2) ? "'" : "\"";

	put(m, CHANCE(3) ? "value\r\n =\t" : "value=");
	put(m, quote);
	put(m, PICK(before));
	if (m->fault == BY_REFERENCE)
		put(m, "us&#46;imhs-ws.trendmicro.com");
	else
		m->now = &m->behind;
	put(m, PICK(behind));
	put(m, quote);
}

static void put_our_add(struct made *m)
{
	put(m, "<add");
	put_space(m);
	if (CHANCE(2)) {
		put_key(m);
		put_space(m);
		put_value(m);
	} else {
		put_value(m);
		put_space(m);
		put_key(m);
	}
	if (CHANCE(2))
		put_space(m);
	if (!CHANCE(3)) {
		put(m, "/>");
		return;
	}
	put(m, ">");
	put_misc(m);
	put(m, "</add >");
}

static void put_settings(struct made *m)
{
	put(m, m->fault == SOURCE ? CHANCE(2) ? "<appSettings configSource='a.config'>" : "<appSettings file=\"a\">"
	       : m->fault == ENCRYPTED ? "<appSettings configProtectionProvider = 'x'>"
				       : "<appSettings>");
	for (unsigned n = golden_random(3); n; n--)
		put_other_add(m);
	put(m, CHANCE(5) ? "<clear/>" : "");
	if (m->fault != ABSENT)
		put_our_add(m);
	for (unsigned n = golden_random(3); n; n--)
		put_other_add(m);
	if (m->fault == TWICE)
		put(m, CHANCE(2) ? "<add key='" KEY "' value='x'/>" : "<add key='ws_service_uri'/>");
	put(m, m->fault == CLEARED   ? "<clear />"
	       : m->fault == REMOVED ? "<remove\nkey='ws&#95;service_uri'></remove>"
				     : "");
	put_misc(m);
	put(m, "</appSettings>");
}

static void put_declaration(struct made *m)
{
	if (!m->encoding->declared)
		return;
	put(m, "<?xml version='1.0'");
	if (*m->encoding->declared) {
		put(m, CHANCE(2) ? " encoding=\"" : "\n  encoding = \"");
		put(m, m->encoding->declared);
		put(m, "\"");
	}
	put(m, CHANCE(4) ? " standalone='yes' ?>" : "?>");
}

static void make(struct made *m)
{
	static const char *const olds[] = { OLD_HOST, OLD_HOST, "US.IMHS-WS.TrendMicro.COM",
					    "us.imhs-ws.trendmicro.com.", "old.example" };
	static const char *const news[] = { NEW_HOST, "WS.ACME.hes2.example." };
	static const char *const strangers[] = { "x." OLD_HOST, OLD_HOST ".example", "192.0.2.1",
						 "imhs-ws.trendmicro.eu" };

	*m = (struct made){ .encoding = &PICK(encodings), .now = &m->front };
	m->fault = CHANCE(3) ? (enum fault)golden_random(FAULTS) : NO_FAULT;
	m->is_new = CHANCE(6);
	m->host = m->fault == OTHER_HOST ? PICK(strangers) : m->is_new ? PICK(news) : PICK(olds);
	put_declaration(m);
	/* Without mark and declaration the first characters tell UTF-16. */
	if (m->encoding->declared)
		put_misc(m);
	put(m, "<configuration>");
	for (unsigned n = golden_random(3); n; n--)
		put_section(m);
	put_settings(m);
	for (unsigned n = golden_random(3); n; n--)
		put_section(m);
	if (m->fault == SECTIONS)
		put(m, "<appSettings/>");
	put(m, "</configuration>");
	put_misc(m);
}

/* ---- the rules -------------------------------------------------------------------------------------------------- */

static struct buf bytes_of(const struct made *m, const char *host)
{
	struct buf out = BUF_INIT;

	buf_add(&out, m->encoding->mark, m->encoding->mark_len);
	add_encoded(&out, m->encoding, buf_str(&m->front), m->front.len);
	if (m->now == &m->behind)
		add_encoded(&out, m->encoding, host, strlen(host));
	add_encoded(&out, m->encoding, buf_str(&m->behind), m->behind.len);
	return out;
}

static size_t place_of_host(const struct made *m)
{
	struct buf front = BUF_INIT;
	size_t place;

	buf_add(&front, m->encoding->mark, m->encoding->mark_len);
	add_encoded(&front, m->encoding, buf_str(&m->front), m->front.len);
	place = front.len;
	buf_release(&front);
	return place;
}

static enum app_config_state state_of(const struct made *m)
{
	return m->fault ? APP_CONFIG_DRIFT : m->is_new ? APP_CONFIG_NEW : APP_CONFIG_OLD;
}

static int opinions, no_opinions, states[3];

static void check_found(const struct made *m, const struct buf *in, const struct app_config *found)
{
	struct buf want, got;

	ck_assert_str_eq(found->host, m->host);
	ck_assert_uint_eq(found->host_offset, place_of_host(m));
	ck_assert_int_eq(app_config_has_opinion(found), !(m->encoding->undeclared && m->words));
	opinions += app_config_has_opinion(found);
	no_opinions += !app_config_has_opinion(found);
	want = bytes_of(m, NEW_HOST);
	got = app_config_replaced(buf_str(in), in->len, found, NEW_HOST);
	ck_assert(buf_equals(&got, buf_str(&want), want.len));
	buf_release(&want);
	buf_release(&got);
}

START_TEST(test_random_files)
{
	const char *seed = getenv("CUTOVER_SEED");

	golden_seed = seed ? strtoull(seed, NULL, 10) : 20151119;
	for (int i = 0; i < FILES; i++) {
		struct made m;
		struct app_config found;
		struct buf in;

		make(&m);
		in = bytes_of(&m, m.host);
		app_config_check(buf_str(&in), in.len, &found);
		ck_assert_msg(found.state == state_of(&m), "file %d (%s): fault %d, line %ld %s\n%s<HOST>%s", i,
			      m.encoding->iconv_name, (int)m.fault, found.line, found.why, buf_str(&m.front),
			      buf_str(&m.behind));
		states[found.state]++;
		if (found.state != APP_CONFIG_DRIFT)
			check_found(&m, &in, &found);
		buf_release(&in);
		buf_release(&m.front);
		buf_release(&m.behind);
	}
	printf("of %d files %d old, %d new, %d drift; libxml2 read %d and could not read %d\n", FILES,
	       states[APP_CONFIG_OLD], states[APP_CONFIG_NEW], states[APP_CONFIG_DRIFT], opinions, no_opinions);
	ck_assert_int_gt(states[APP_CONFIG_OLD], FILES / 3);
	ck_assert_int_gt(states[APP_CONFIG_NEW], FILES / 20);
	ck_assert_int_gt(states[APP_CONFIG_DRIFT], FILES / 10);
	ck_assert_int_gt(no_opinions, FILES / 40);
}
END_TEST

SUITE(app_config_random)
{
	TEST_CASE(s, test_random_files);
}
