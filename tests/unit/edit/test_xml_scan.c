#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "agents/edit/xml_scan.h"
#include "base/alloc.h"
#include "base/utf8.h"

#include <libxml/parser.h>

/* ---- events ----------------------------------------------------------------------------------------------------- */

static void add_span(struct buf *out, const struct xml_text *text, struct xml_span span)
{
	buf_add(out, text->bytes + span.at, span.len);
}

/* One line an event: "1:+a b=c", "1:-", "1:text" (line and depth in front). */
static void add_event(struct buf *out, const struct xml_scan *s, enum xml_scan_event event)
{
	switch (event) {
	case XML_SCAN_START:
		buf_addf(out, "%ld.%zu <", s->line, s->depth);
		add_span(out, s->text, s->name);
		for (size_t i = 0; i < s->attributes_n; i++) {
			buf_addc(out, ' ');
			add_span(out, s->text, s->attributes[i].name);
			buf_addc(out, '=');
			add_span(out, s->text, s->attributes[i].value);
			buf_addf(out, "@%ld", s->attributes[i].line);
		}
		buf_adds(out, "> of ");
		add_span(out, s->text, s->tag);
		break;
	case XML_SCAN_END:
		buf_addf(out, "%zu end", s->depth);
		break;
	case XML_SCAN_TEXT:
		buf_addf(out, "%ld.%zu text", s->line, s->depth);
		break;
	case XML_SCAN_EOF:
		buf_adds(out, "EOF");
		break;
	case XML_SCAN_BAD:
		buf_addf(out, "%ld %s%s at %zu", s->line, s->malformed ? "malformed: " : "", s->why, s->bad_at);
		break;
	}
	buf_adds(out, "; ");
}

static const struct {
	const char *text, *events;
} documents[] = {
	{ "<a/>", "1.1 <a> of <a/>; 1 end; EOF; " },
	{ "<a></a >", "1.1 <a> of <a>; 1 end; EOF; " },
	{ "<a\n b='1'\tc = \"'\" />", "1.1 <a b=1@2 c='@2> of <a\n b='1'\tc = \"'\" />; 1 end; EOF; " },
	{ "<a>x<b/>\r\n</a>\n<!-- -->", "1.1 <a> of <a>; 1.1 text; 1.2 <b> of <b/>; 2 end; 1 end; EOF; " },
	{ "<a>\r\r\n\n<b>\n</b>t</a>", "1.1 <a> of <a>; 4.2 <b> of <b>; 2 end; 5.1 text; 1 end; EOF; " },
	{ "<a><![CDATA[</a>]]></a>", "1.1 <a> of <a>; 1.1 text; 1 end; EOF; " },
	{ "<a>&#32;</a>", "1.1 <a> of <a>; 1.1 text; 1 end; EOF; " },
	{ "<?x <a?><!-- <a> --><x:a/><?y?>", "1.1 <x:a> of <x:a/>; 1 end; EOF; " },
	{ "<a b='\n\r\n'/>", "1.1 <a b=\n\r\n@1> of <a b='\n\r\n'/>; 1 end; EOF; " },
	{ "<a b=''/>", "1.1 <a b=@1> of <a b=''/>; 1 end; EOF; " },
	{ "", "0 is empty at 0; " },
	{ " ", "0 holds no element at 1; " },
	{ "\n\n<a", "3 malformed: a tag does not end at 2; " },
	{ "<a>", "1.1 <a> of <a>; 1 malformed: it ends before its elements end at 3; " },
	{ "<a/><a/>", "1.1 <a> of <a/>; 1 end; 1 malformed: a second root element begins at 4; " },
	{ "<a></b>", "1.1 <a> of <a>; 1 malformed: an end tag does not fit the start tag at 3; " },
	{ "</a>", "1 malformed: an end tag does not fit the start tag at 0; " },
	{ "<a></a b>", "1.1 <a> of <a>; 1 malformed: a tag does not end at 3; " },
	{ "<a/ >", "1 malformed: a tag does not end at 0; " },
	{ "<a b='1' b='2'/>", "1 malformed: an element has the same attribute twice at 10; " },
	{ "<a b='1'c='2'/>", "1 malformed: something that is no attribute stands in a tag at 8; " },
	{ "<a b/>", "1 malformed: an attribute has no = at 4; " },
	{ "<a b=c/>", "1 malformed: an attribute's value is not in quotes at 5; " },
	{ "<a 1='c'/>", "1 malformed: something that is no attribute stands in a tag at 3; " },
	{ "< a/>", "1 malformed: a < begins nothing at 1; " },
	{ "<![CDATA[x]]>", "1 malformed: CDATA stands outside of the root element at 9; " },
	{ "<a>]]></a>", "1.1 <a> of <a>; 1 malformed: ]]> stands outside of CDATA at 3; " },
	{ "<a><?xml version='1.0'?></a>",
	  "1.1 <a> of <a>; 1 malformed: the XML declaration does not stand at the very beginning at 5; " },
	{ "<a><?XmL?></a>",
	  "1.1 <a> of <a>; 1 malformed: the XML declaration does not stand at the very beginning at 5; " },
	{ "<?x+?><a/>",
	  "1 malformed: a processing instruction's name is followed by something else than white space at 3; " },
	{ "<? x?><a/>", "1 malformed: a processing instruction has no name at 2; " },
	{ "<!DOCTYPE a><a/>", "1 has a DOCTYPE, which may change what the rest means at 0; " },
	{ "<!ELEMENT a><a/>", "1 malformed: a < begins nothing at 1; " },
	{ "<a>\x01</a>", "1 malformed: a character stands there that XML does not allow at 3; " },
	{ "<a b='\xef\xbf\xbf'/>", "1 malformed: a character stands there that XML does not allow at 6; " },
	{ "<a>&lt;&gt;&amp;&apos;&quot;&#9;&#x1F5fE;</a>", "1.1 <a> of <a>; 1.1 text; 1 end; EOF; " },
};

START_TEST(test_events)
{
	struct buf got = BUF_INIT;
	struct xml_text text;
	struct xml_scan scan;
	enum xml_scan_event event, again;
	const char *why;

	ck_assert(xml_text_open(documents[_i].text, strlen(documents[_i].text), &text, &why));
	xml_scan_init(&scan, &text);
	do {
		event = xml_scan_next(&scan);
		add_event(&got, &scan, event);
	} while (event != XML_SCAN_EOF && event != XML_SCAN_BAD);
	ck_assert_str_eq(buf_str(&got), documents[_i].events);
	again = xml_scan_next(&scan);
	ck_assert_int_eq(again, event);
	buf_release(&got);
}
END_TEST

static const struct {
	const char *reference;
	uint32_t code; /* 0: none */
} references[] = {
	{ "&amp;", '&' },
	{ "&lt;", '<' },
	{ "&gt;", '>' },
	{ "&quot;", '"' },
	{ "&apos;", '\'' },
	{ "&#65;", 'A' },
	{ "&#x41;", 'A' },
	{ "&#x00000000041;", 'A' },
	{ "&#x10FFFF;", 0x10ffff },
	{ "&#xD7fF;", 0xd7ff },
	{ "&#13;", '\r' },
	{ "&#x85;", 0x85 },
	{ "&amp", 0 },
	{ "&", 0 },
	{ "&;", 0 },
	{ "&#;", 0 },
	{ "&#x;", 0 },
	{ "&#X41;", 0 },
	{ "&#4a;", 0 },
	{ "&#xg;", 0 },
	{ "&#0;", 0 },
	{ "&#x1f;", 0 },
	{ "&#xd800;", 0 },
	{ "&#xfffe;", 0 },
	{ "&#x110000;", 0 },
	{ "&#4294967361;", 0 },
	{ "&#x100000041;", 0 },
	{ "&AMP;", 0 },
	{ "& amp;", 0 },
	{ "&nbsp;", 0 },
	{ "&#65", 0 },
	{ "amp;", 0 },
};

START_TEST(test_references)
{
	size_t len = strlen(references[_i].reference);
	struct xml_text text;
	uint32_t code = 0;
	const char *why;

	ck_assert(xml_text_open(references[_i].reference, len, &text, &why));
	ck_assert_uint_eq(xml_reference(&text, 0, &code), references[_i].code ? len : 0);
	if (references[_i].code)
		ck_assert_uint_eq(code, references[_i].code);
}
END_TEST

/* White space as blanks (CR LF as one), references as they are. */
START_TEST(test_value)
{
	static const char written[] = "a\r\n\r\t\n&#10;&#13;\n&amp;\xe8\xa1\xa8z";
	static const uint32_t want[] = { 'a', ' ', ' ', ' ', ' ', '\n', '\r', ' ', '&', 0x8868, 'z' };
	struct xml_text text;
	struct xml_value_char got[ARRAY_LEN(want)];
	struct xml_span span = { 0, sizeof(written) - 1 };
	const char *why;

	ck_assert(xml_text_open(written, sizeof(written) - 1, &text, &why));
	ck_assert_uint_eq(xml_value(&text, span, got, ARRAY_LEN(want)), ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_uint_eq(got[i].code, want[i]);
		ck_assert_int_eq(got[i].reference, written[got[i].at] == '&');
	}
	ck_assert_uint_eq(got[10].at, sizeof(written) - 2);
	ck_assert_uint_eq(got[8].len, 5);
	ck_assert_uint_eq(xml_value(&text, span, got, ARRAY_LEN(want) - 1), ARRAY_LEN(want));
}
END_TEST

/* ---- libxml2 as the judge --------------------------------------------------------------------------------------- */

static void ignore(void *user, const char *fmt, ...)
{
	(void)user;
	(void)fmt;
}

static bool libxml2_takes(const struct buf *text)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc = xmlCtxtReadMemory(parser, buf_str(text), (int)text->len, NULL, NULL,
					XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	bool takes = doc && parser->wellFormed;

	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return takes;
}

static bool we_take(const struct buf *bytes, const char **why)
{
	struct xml_text text;
	struct xml_scan scan;
	enum xml_scan_event event;

	if (!xml_text_open(buf_str(bytes), bytes->len, &text, why))
		return false;
	xml_scan_init(&scan, &text);
	do
		event = xml_scan_next(&scan);
	while (event != XML_SCAN_EOF && event != XML_SCAN_BAD);
	*why = scan.why;
	return event == XML_SCAN_EOF;
}

static const char *const pieces[] = {
	"<a>",
	"</a>",
	"<a>",
	"</a>",
	"<b/>",
	"<a b='1'>",
	"<a:b c:d=\"2\" xmlns:a='x' />",
	"<!-- - -->",
	"<!--",
	"-->",
	"<![CDATA[",
	"]]>",
	"]]",
	">",
	"<?x y?>",
	"<?",
	"?>",
	"<?xml version='1.0'?>",
	"&amp;",
	"&#65;",
	"&#0;",
	"&",
	";",
	"x",
	"'",
	"\"",
	"=",
	"<",
	"/",
	"/>",
	" ",
	"\n",
	"\r\n",
	"\t",
	"b='",
	"' ",
	"é",
	"表",
	"\u3000",
	"·",
	"×",
	"-",
	"--",
	".",
	"1",
	":",
	"_",
	"!",
	"?",
	"xml",
	"\ufeff",
	"\xc2\x85",
	"\ufffd",
	"\uffff",
	"\x7f",
	"\x01",
	"🗾",
};

static void random_document(struct buf *out)
{
	bool rooted = golden_random(4);

	if (golden_random(6) == 0)
		buf_adds(out, "<?xml version='1.0' encoding='utf-8'?>");
	if (rooted)
		buf_adds(out, "<r>");
	for (unsigned n = 1 + golden_random(8); n; n--)
		buf_adds(out, pieces[golden_random(ARRAY_LEN(pieces))]);
	if (rooted)
		buf_adds(out, "</r>");
}

#define DOCUMENTS 60000

START_TEST(test_as_libxml2_reads_it)
{
	const char *seed = getenv("CUTOVER_SEED");
	int taken = 0;

	xmlSetGenericErrorFunc(NULL, ignore);
	golden_seed = seed ? strtoull(seed, NULL, 10) : 20151119;
	for (int i = 0; i < DOCUMENTS; i++) {
		struct buf text = BUF_INIT;
		const char *why = NULL;
		bool ours;

		random_document(&text);
		ours = we_take(&text, &why);
		if (ours != libxml2_takes(&text))
			ck_abort_msg("%s: %s", ours ? "we take, libxml2 does not" : why, buf_str(&text));
		taken += ours;
		buf_release(&text);
	}
	printf("of %d documents both take %d\n", DOCUMENTS, taken);
	ck_assert_int_gt(taken, DOCUMENTS / 20);
}
END_TEST

SUITE(xml_scan)
{
	TEST_CASE_LOOP(s, test_events, 0, ARRAY_LEN(documents));
	TEST_CASE_LOOP(s, test_references, 0, ARRAY_LEN(references));
	TEST_CASE(s, test_value);
	TEST_CASE(s, test_as_libxml2_reads_it);
}
