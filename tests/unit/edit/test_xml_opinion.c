#include "tests/lib/unit.h"

#include "agents/edit/app_config.h"
#include "agents/edit/xml_opinion.h"
#include "base/alloc.h"

#include <unistd.h>

#define ROOT(inner) "<configuration>" inner "</configuration>"
#define CONFIG(inner) ROOT("<appSettings>" inner "</appSettings>")
#define ADD(value) "<add key='K' value='" value "'/>"

/* What a scanner says that reads the value as it is given here. */
static size_t as_value(const char *text, struct xml_value_char out[64])
{
	size_t n = 0;

	for (; text[n]; n++)
		out[n] = (struct xml_value_char){ .code = (unsigned char)text[n] == 0xff ? XML_CHAR_UNKNOWN
											 : (unsigned char)text[n] };
	return n;
}

static void open_text(const char *file, size_t len, struct xml_text *text)
{
	const char *why = NULL;

	ck_assert_msg(xml_text_open(file, len, text, &why), "%s", why);
}

#define SAME XML_OPINION_SAME
#define NONE XML_OPINION_NONE
#define OTHER XML_OPINION_OTHER
#define DECLARED(encoding) "<?xml version='1.0' encoding='" encoding "'?>"

static const struct {
	const char *file, *value; /* \xff in the value: something that is not ASCII */
	enum xml_opinion_kind kind;
	const char *text;
} opinions[] = {
	{ CONFIG(ADD("v")), "v", SAME, "reads the same value" },
	{ CONFIG("<!-- " ADD("x") " --><x>" ADD("y") "</x>" ADD("v")) "<!-- -->", "v", SAME, "reads the same value" },
	{ CONFIG("<add value='a&#x62;&amp;\n c' key='&#75;'></add>"), "ab&  c", SAME, "reads the same value" },
	{ CONFIG("<add key='k' value='v'/>"), "v", SAME, "reads the same value" },
	{ CONFIG("<add key='K' value=''/>"), "", SAME, "reads the same value" },
	{ "<configuration xmlns='u'><appSettings>" ADD("v") "</appSettings></configuration>", "v", SAME,
	  "reads the same value" },
	{ CONFIG(ADD("v")), "w", OTHER, "sees another value" },
	{ CONFIG(ADD("v")), "v ", OTHER, "sees another value" },
	{ CONFIG(ADD("vv")), "v", OTHER, "sees another value" },
	{ CONFIG(ADD("v") ADD("v")), "v", OTHER, "sees the key 2 times" },
	{ ROOT("<appSettings>" ADD("v") "</appSettings><appSettings>" ADD("v") "</appSettings>"), "v", OTHER,
	  "sees the key 2 times" },
	{ CONFIG(""), "v", OTHER, "sees the key 0 times" },
	{ ROOT("<x>" ADD("v") "</x>"), "v", OTHER, "sees the key 0 times" },
	{ "<x><appSettings>" ADD("v") "</appSettings></x>", "v", OTHER, "sees the key 0 times" },
	{ CONFIG("<a:add xmlns:a='u' key='K' value='v'/>"), "v", OTHER, "sees the key 0 times" },
	{ CONFIG("<add xmlns:a='u' a:key='K' value='v'/>"), "v", OTHER, "sees the key 0 times" },
	{ CONFIG("<add key='K'/>"), "", OTHER, "sees the key without a value" },
	{ CONFIG(ADD("v")) "x", "v", OTHER, "says of line 1: Extra content at the end of the document" },
	{ CONFIG(ADD("v") "<!-- \x83\x7c -->"), "v", NONE,
	  "cannot read the file's bytes, so there is no second opinion (line 1: Input is not proper UTF-8" },
	{ DECLARED("us-ascii") CONFIG(ADD("v") "<!-- \x83\x7c -->"), "v", NONE, "cannot read the file's bytes" },
	{ DECLARED("euc-jp") CONFIG(ADD("v") "<!-- \xff\xff -->"), "v", NONE, "cannot read the file's bytes" },
	/* the bytes are good, what is wrong is the XML: that is no excuse */
	{ CONFIG(ADD("v") "<!-- \xe8\xa1\xa8 -->") "x", "v", OTHER, "says of line 1" },
	{ DECLARED("shift_jis") CONFIG(ADD("\x95\x5c~\\")), "\xff~\\", SAME, "reads the same value" },
	{ DECLARED("shift_jis") CONFIG(ADD("\x95\x5c\x95\x5cz")), "\xff\xffz", SAME, "reads the same value" },
	{ DECLARED("shift_jis") CONFIG(ADD("\x95\x5cz")), "z", OTHER, "sees another value" },
	{ DECLARED("shift_jis") CONFIG(ADD("\x95\x5cz")), "\xff", OTHER, "sees another value" },
	{ DECLARED("iso-8859-12") CONFIG(ADD("v")), "v", NONE, "cannot read the file's bytes" },
};

START_TEST(test_opinions)
{
	struct xml_value_char value[64];
	struct xml_opinion_value ours = { "K", value, as_value(opinions[_i].value, value) };
	struct xml_text text;
	struct xml_opinion opinion;

	open_text(opinions[_i].file, strlen(opinions[_i].file), &text);
	xml_opinion(&text, &ours, &opinion);
	ck_assert_msg(strncmp(opinion.text, opinions[_i].text, strlen(opinions[_i].text)) == 0, "%s", opinion.text);
	ck_assert_int_eq(opinion.kind, opinions[_i].kind);
}
END_TEST

#define WAS CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("v"))

static const struct {
	const char *now, *text; /* text NULL: the change and nothing else */
} changes[] = {
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), NULL },
	{ CONFIG("<!-- C --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='3'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' c='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2' c=''>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one" },
	{ CONFIG("<!-- c --><x b='2' a='1'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>u<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<z/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t</x><y/><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p r?><![CDATA[d]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[e]]>" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?>d" ADD("w")), "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w") "<z/>"), "sees more than one" },
	{ CONFIG("<!-- c --><x a='1' b='2' xmlns='u'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")), "sees more than one" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]><add key='K' value='w' z=''/>"),
	  "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]><add value='w' key='K'/>"),
	  "sees more than one difference" },
	{ CONFIG("<!-- c --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")) "<!-- -->", "sees more than one" },
	{ WAS, "sees another value" },
	{ CONFIG("<!-- \x83 --><x a='1' b='2'>t<y/></x><?p q?><![CDATA[d]]>" ADD("w")),
	  "could read the old file and cannot read the changed one (line 1: Input is not proper UTF-8" },
};

START_TEST(test_changes)
{
	struct xml_value_char v[64], w[64];
	struct xml_opinion_value was = { "K", v, as_value("v", v) }, is = { "K", w, as_value("w", w) };
	struct xml_text before, now;
	struct xml_opinion opinion;
	const char *want = changes[_i].text ? changes[_i].text : "reads both files and sees no other difference";

	open_text(WAS, strlen(WAS), &before);
	open_text(changes[_i].now, strlen(changes[_i].now), &now);
	xml_opinion_of_change(&before, &was, &now, &is, &opinion);
	ck_assert_msg(strncmp(opinion.text, want, strlen(want)) == 0, "%s", opinion.text);
	ck_assert_int_eq(opinion.kind, changes[_i].text ? OTHER : SAME);
}
END_TEST

START_TEST(test_unreadable_before)
{
	static const char before_text[] = CONFIG("<!-- \x83 -->" ADD("v")),
			  now_text[] = CONFIG("<!-- \x83 -->" ADD("w"));
	struct xml_value_char v[64], w[64];
	struct xml_opinion_value was = { "K", v, as_value("v", v) }, is = { "K", w, as_value("w", w) };
	struct xml_text before, now;
	struct xml_opinion opinion;

	open_text(before_text, sizeof(before_text) - 1, &before);
	open_text(now_text, sizeof(now_text) - 1, &now);
	xml_opinion_of_change(&before, &was, &now, &is, &opinion);
	ck_assert_int_eq(opinion.kind, NONE);
}
END_TEST

/* A library's complaints are in the result, and nowhere else. */
START_TEST(test_prints_nothing)
{
	static const char file[] = DECLARED("euc-jp") CONFIG("<add key='K' value='https://a/'/><!-- \xff\xff -->");
	static const char *const old_hosts[] = { "a" };
	struct app_config_names names = { "K", old_hosts, 1, "b" };
	struct app_config found;
	char said[256];
	FILE *capture = tmpfile();
	int saved = dup(2);

	ck_assert_ptr_nonnull(capture);
	fflush(stderr);
	dup2(fileno(capture), 2);
	app_config_look(file, sizeof(file) - 1, &names, &found);
	dup2(saved, 2);
	close(saved);
	rewind(capture);
	ck_assert_msg(fread(said, 1, sizeof(said), capture) == 0, "%s", said);
	fclose(capture);
	ck_assert_int_eq(found.state, APP_CONFIG_OLD);
	ck_assert_ptr_nonnull(strstr(found.evidence, "no second opinion"));
}
END_TEST

SUITE(xml_opinion)
{
	TEST_CASE_LOOP(s, test_opinions, 0, ARRAY_LEN(opinions));
	TEST_CASE_LOOP(s, test_changes, 0, ARRAY_LEN(changes));
	TEST_CASE(s, test_unreadable_before);
	TEST_CASE(s, test_prints_nothing);
}
