#include "agents/edit/xml_scan.h"

#include "base/alloc.h"

#include <string.h>

/* ---- characters ------------------------------------------------------------------------------------------------- */

/* Keeps the first reason; from then on the text is at its end, so that every loop ends. */
static void refuse(struct xml_scan *s, const char *why, bool malformed, size_t at, long line)
{
	if (!s->why) {
		s->why = why;
		s->malformed = malformed;
		s->bad_at = at;
		s->line = line;
	}
	s->c = XML_CHAR_END;
	s->size = 0;
}

static void malformed(struct xml_scan *s, const char *why)
{
	refuse(s, why, true, s->at, s->line_at);
}

static bool is_allowed(uint32_t code)
{
	return code >= ' ' ? code != 0xfffe && code != 0xffff : xml_is_space(code);
}

static void load(struct xml_scan *s)
{
	if (s->why)
		return;
	s->size = xml_char(s->text, s->at, &s->c);
	if (s->c == XML_CHAR_BAD)
		refuse(s, "has bytes that are no characters of its encoding", false, s->at, s->line_at);
	else if (!is_allowed(s->c))
		malformed(s, "a character stands there that XML does not allow");
}

static void next(struct xml_scan *s)
{
	if (s->c == '\r' || (s->c == '\n' && !s->after_cr))
		s->line_at++;
	s->after_cr = s->c == '\r';
	s->at += s->size;
	load(s);
}

/* To behind the text, where it stands here. */
static bool skip(struct xml_scan *s, const char *ascii)
{
	if (s->c == XML_CHAR_END || !xml_looking_at(s->text, s->at, ascii))
		return false;
	for (; *ascii; ascii++)
		next(s);
	return true;
}

static bool skip_space(struct xml_scan *s)
{
	bool any = xml_is_space(s->c);

	while (xml_is_space(s->c))
		next(s);
	return any;
}

/* XML 1.0, fifth edition, [4] and [4a], from U+0080 on. */
static const uint32_t name_starts[][2] = {
	{ 0xc0, 0xd6 },	    { 0xd8, 0xf6 },	{ 0xf8, 0x2ff },    { 0x370, 0x37d },
	{ 0x37f, 0x1fff },  { 0x200c, 0x200d }, { 0x2070, 0x218f }, { 0x2c00, 0x2fef },
	{ 0x3001, 0xd7ff }, { 0xf900, 0xfdcf }, { 0xfdf0, 0xfffd }, { 0x10000, 0xeffff },
};
static const uint32_t name_others[][2] = { { 0xb7, 0xb7 }, { 0x300, 0x36f }, { 0x203f, 0x2040 } };

static bool is_within(uint32_t c, const uint32_t (*ranges)[2], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	}
	return false;
}

static bool is_name_start(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
	return c == XML_CHAR_UNKNOWN || is_within(c, name_starts, ARRAY_LEN(name_starts));
}

static bool is_name(uint32_t c)
{
	return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	       is_within(c, name_others, ARRAY_LEN(name_others));
}

static struct xml_span take_name(struct xml_scan *s)
{
	struct xml_span name = { .at = s->at };

	if (!is_name_start(s->c))
		return name;
	while (is_name(s->c))
		next(s);
	name.len = s->at - name.at;
	return name;
}

static bool same_bytes(const struct xml_scan *s, struct xml_span a, struct xml_span b)
{
	return a.len == b.len && memcmp(s->text->bytes + a.at, s->text->bytes + b.at, a.len) == 0;
}

/* ---- references ------------------------------------------------------------------------------------------------- */

static bool is_xml_character(uint32_t code)
{
	return is_allowed(code) && (code < 0xd800 || code > 0xdfff) && code <= 0x10ffff;
}

static int digit_of(uint32_t c, uint32_t base)
{
	int digit = c >= '0' && c <= '9'   ? (int)c - '0'
		    : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
		    : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10
					   : 99;

	return digit < (int)base ? digit : -1;
}

/* `#65;` or `#x41;` behind the `&`; the length of it. Leading zeros may be many. */
static size_t numeric_reference(const struct xml_text *text, size_t start, uint32_t *code)
{
	size_t at = start, n = xml_looking_at(text, at, "#x");
	uint32_t base = n ? 16 : 10, value = 0, c;
	bool any = false;

	at += n ? n : xml_looking_at(text, at, "#");
	for (;; any = true) {
		at += xml_char(text, at, &c);
		if (digit_of(c, base) < 0)
			break;
		value = value * base + (uint32_t)digit_of(c, base);
		if (value > 0x10ffff)
			return 0;
	}
	*code = value;
	return any && c == ';' && is_xml_character(value) ? at - start : 0;
}

size_t xml_reference(const struct xml_text *text, size_t at, uint32_t *code)
{
	static const struct {
		const char *written;
		uint32_t code;
	} known[] = { { "amp;", '&' }, { "lt;", '<' }, { "gt;", '>' }, { "quot;", '"' }, { "apos;", '\'' } };
	size_t start = at, n = xml_looking_at(text, at, "&");

	if (!n)
		return 0;
	at += n;
	if (xml_looking_at(text, at, "#")) {
		n = numeric_reference(text, at, code);
		return n ? at + n - start : 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		n = xml_looking_at(text, at, known[i].written);
		*code = known[i].code;
		if (n)
			return at + n - start;
	}
	return 0;
}

static void skip_reference(struct xml_scan *s)
{
	uint32_t code;
	size_t end = s->at + xml_reference(s->text, s->at, &code);

	if (end == s->at)
		malformed(s, "an & begins none of the references that a file without a DOCTYPE may have");
	while (s->c != XML_CHAR_END && s->at < end)
		next(s);
}

size_t xml_value(const struct xml_text *text, struct xml_span span, struct xml_value_char *out, size_t max)
{
	size_t n = 0, at = span.at, end = span.at + span.len, len;
	bool after_cr = false;

	for (; at < end; at += len) {
		struct xml_value_char c = { .at = at };

		len = xml_reference(text, at, &c.code);
		c.reference = len > 0;
		if (!len)
			len = xml_char(text, at, &c.code);
		c.len = len;
		if (!c.reference && c.code == '\n' && after_cr) {
			after_cr = false;
			continue;
		}
		after_cr = !c.reference && c.code == '\r';
		if (!c.reference && xml_is_space(c.code))
			c.code = ' ';
		if (n == max)
			return max + 1;
		out[n++] = c;
	}
	return n;
}

/* ---- what is no element ----------------------------------------------------------------------------------------- */

/* Behind `<!--`. */
static void comment(struct xml_scan *s)
{
	long line = s->line_at;
	size_t at = s->at;

	while (s->c != XML_CHAR_END) {
		if (skip(s, "-->"))
			return;
		if (s->c == '-' && xml_looking_at(s->text, s->at, "--"))
			malformed(s, "-- stands in a comment");
		else
			next(s);
	}
	refuse(s, "a comment does not end", true, at, line);
}

/* "xml" in any case: no processing instruction may be called so. */
static bool is_reserved(const struct xml_scan *s, struct xml_span name)
{
	size_t at = name.at;
	uint32_t c;

	for (const char *letter = "xml"; *letter; letter++) {
		at += xml_char(s->text, at, &c);
		if ((c | 0x20) != (unsigned char)*letter)
			return false;
	}
	return at == name.at + name.len;
}

/* Behind `<?`. */
static void instruction(struct xml_scan *s)
{
	long line = s->line_at;
	size_t at = s->at;
	struct xml_span name = take_name(s);

	if (!name.len)
		malformed(s, "a processing instruction has no name");
	else if (is_reserved(s, name))
		refuse(s, "the XML declaration does not stand at the very beginning", true, at, line);
	else if (!xml_is_space(s->c) && !xml_looking_at(s->text, s->at, "?>"))
		malformed(s, "a processing instruction's name is followed by something else than white space");
	while (s->c != XML_CHAR_END) {
		if (s->c == '?' && skip(s, "?>"))
			return;
		next(s);
	}
	refuse(s, "a processing instruction does not end", true, at, line);
}

/* Behind `<![CDATA[`. */
static void cdata(struct xml_scan *s)
{
	long line = s->line_at;
	size_t at = s->at;

	if (!s->open_n)
		malformed(s, "CDATA stands outside of the root element");
	while (s->c != XML_CHAR_END) {
		if (s->c == ']' && skip(s, "]]>"))
			return;
		next(s);
	}
	refuse(s, "CDATA does not end", true, at, line);
}

/* To the next `<`; is there more than white space? */
static bool characters(struct xml_scan *s)
{
	bool more = false;

	while (s->c != XML_CHAR_END && s->c != '<') {
		more = more || !xml_is_space(s->c);
		if (s->c == ']' && xml_looking_at(s->text, s->at, "]]>"))
			malformed(s, "]]> stands outside of CDATA");
		else if (s->c == '&')
			skip_reference(s);
		else
			next(s);
	}
	return more;
}

/* ---- tags ------------------------------------------------------------------------------------------------------- */

static void attribute_value(struct xml_scan *s, struct xml_attribute *attribute)
{
	long line = s->line_at;
	size_t at = s->at;
	uint32_t quote = s->c;

	if (quote != '"' && quote != '\'') {
		malformed(s, "an attribute's value is not in quotes");
		return;
	}
	next(s);
	attribute->line = s->line_at;
	attribute->value.at = s->at;
	while (s->c != XML_CHAR_END && s->c != quote) {
		if (s->c == '<')
			malformed(s, "a < stands in an attribute's value");
		else if (s->c == '&')
			skip_reference(s);
		else
			next(s);
	}
	attribute->value.len = s->at - attribute->value.at;
	if (s->c == XML_CHAR_END)
		refuse(s, "an attribute's value does not end", true, at, line);
	next(s);
}

static void attribute(struct xml_scan *s)
{
	struct xml_attribute *a = &s->attributes[s->attributes_n];

	if (s->attributes_n == XML_ATTRIBUTES_MAX) {
		refuse(s, "has an element with more attributes than are read", false, s->at, s->line_at);
		return;
	}
	a->name = take_name(s);
	if (!a->name.len) {
		malformed(s, "something that is no attribute stands in a tag");
		return;
	}
	for (size_t i = 0; i < s->attributes_n; i++) {
		if (same_bytes(s, s->attributes[i].name, a->name))
			malformed(s, "an element has the same attribute twice");
	}
	skip_space(s);
	if (s->c != '=') {
		malformed(s, "an attribute has no =");
		return;
	}
	next(s);
	skip_space(s);
	attribute_value(s, a);
	s->attributes_n++;
}

static void open_element(struct xml_scan *s)
{
	if (!s->open_n && s->rooted)
		refuse(s, "a second root element begins", true, s->tag.at, s->line);
	else if (s->open_n == XML_DEPTH_MAX)
		refuse(s, "has elements that are nested deeper than is read", false, s->tag.at, s->line);
	else
		s->open[s->open_n++] = s->name;
	s->rooted = true;
	s->depth = s->open_n;
}

/* At the name, behind `<`. */
static void start_tag(struct xml_scan *s, size_t at, long line)
{
	bool space;

	s->line = line;
	s->tag.at = at;
	s->attributes_n = 0;
	s->name = take_name(s);
	if (!s->name.len)
		malformed(s, "a < begins nothing");
	for (space = skip_space(s); s->c != '>' && s->c != '/' && s->c != XML_CHAR_END; space = skip_space(s)) {
		if (space)
			attribute(s);
		else
			malformed(s, "something that is no attribute stands in a tag");
	}
	s->end_follows = skip(s, "/");
	if (s->c != '>')
		refuse(s, "a tag does not end", true, at, line);
	next(s);
	s->tag.len = s->at - at;
	open_element(s);
}

static void close_element(struct xml_scan *s)
{
	s->depth = s->open_n;
	if (s->open_n)
		s->open_n--;
}

/* Behind `</`. */
static void end_tag(struct xml_scan *s, size_t at, long line)
{
	struct xml_span name;

	s->line = line;
	name = take_name(s);
	skip_space(s);
	if (s->c != '>')
		refuse(s, "a tag does not end", true, at, line);
	else if (!s->open_n || !same_bytes(s, name, s->open[s->open_n - 1]))
		refuse(s, "an end tag does not fit the start tag", true, at, line);
	next(s);
	close_element(s);
}

/* ---- the document ----------------------------------------------------------------------------------------------- */

static enum xml_scan_event at_end(struct xml_scan *s)
{
	if (!s->rooted)
		refuse(s, s->text->len > s->text->start ? "holds no element" : "is empty", false, s->at, 0);
	else if (s->open_n)
		malformed(s, "it ends before its elements end");
	return s->why ? XML_SCAN_BAD : XML_SCAN_EOF;
}

/* At a `<`. True when it is an event. */
static bool markup(struct xml_scan *s, enum xml_scan_event *event)
{
	size_t at = s->at;
	long line = s->line_at;

	if (skip(s, "<!--")) {
		comment(s);
	} else if (skip(s, "<?")) {
		instruction(s);
	} else if (skip(s, "<![CDATA[")) {
		cdata(s);
		s->line = s->why ? s->line : line;
		s->depth = s->open_n;
		*event = XML_SCAN_TEXT;
		return true;
	} else if (xml_looking_at(s->text, s->at, "<!DOCTYPE")) {
		refuse(s, "has a DOCTYPE, which may change what the rest means", false, at, line);
	} else if (skip(s, "</")) {
		end_tag(s, at, line);
		*event = XML_SCAN_END;
		return true;
	} else {
		next(s);
		start_tag(s, at, line);
		*event = XML_SCAN_START;
		return true;
	}
	return false;
}

enum xml_scan_event xml_scan_next(struct xml_scan *s)
{
	enum xml_scan_event event = XML_SCAN_BAD;

	if (s->end_follows && !s->why) {
		s->end_follows = false;
		close_element(s);
		return XML_SCAN_END;
	}
	while (s->c != XML_CHAR_END) {
		long line = s->line_at;
		size_t at = s->at;

		if (s->c == '<') {
			if (markup(s, &event))
				break;
		} else if (characters(s) && !s->why) {
			if (!s->open_n)
				refuse(s, "text stands outside of the root element", true, at, line);
			s->line = s->why ? s->line : line;
			s->depth = s->open_n;
			event = XML_SCAN_TEXT;
			break;
		}
	}
	if (s->why)
		return XML_SCAN_BAD;
	return event == XML_SCAN_BAD ? at_end(s) : event;
}

void xml_scan_init(struct xml_scan *s, const struct xml_text *text)
{
	*s = (struct xml_scan){ .text = text, .at = text->start, .line_at = 1 };
	load(s);
	while (s->at < text->body && s->c != XML_CHAR_END)
		next(s);
}

const struct xml_attribute *xml_scan_attribute(const struct xml_scan *s, const char *name)
{
	for (size_t i = 0; i < s->attributes_n; i++) {
		if (xml_span_is(s->text, s->attributes[i].name, name))
			return &s->attributes[i];
	}
	return NULL;
}
