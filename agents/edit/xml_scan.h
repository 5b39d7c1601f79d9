/*
 * A scanner for XML 1.0 without a DOCTYPE: says where elements, attributes and texts begin and end, and checks that the
 * document is well-formed. It changes, decodes and keeps nothing; every place is an offset in the file. It goes through
 * the text once, in time proportional to its length, without recursion.
 *
 *     struct xml_scan scan;
 *     xml_scan_init(&scan, &text);
 *     while ((event = xml_scan_next(&scan)) == XML_SCAN_START || …)
 *
 *             ┌────────────────────────────┐
 *        start tag ──▶ START ──▶ … ──▶ END ┘      <x/> gives START and END
 *        text, CDATA ─▶ TEXT (only inside of the root element, only where there is more than white space)
 *        the end ─────▶ EOF, again and again      something wrong ──▶ BAD, again and again
 *
 * Two things are more lenient than XML 1.0: characters of encodings whose tables are not here (Shift_JIS) may stand in
 * names, and prefixes of names need not be declared. Stricter: no DOCTYPE; nesting and the attributes of one element are
 * bounded.
 */
#ifndef AGENTS_EDIT_XML_SCAN_H
#define AGENTS_EDIT_XML_SCAN_H

#include "agents/edit/xml_text.h"

#define XML_DEPTH_MAX 100
#define XML_ATTRIBUTES_MAX 64

enum xml_scan_event {
	XML_SCAN_START, /* name, attributes, tag, line, depth (the root's is 1) */
	XML_SCAN_END,   /* depth of the element that ends */
	XML_SCAN_TEXT,  /* depth of the element it is in, line where it begins */
	XML_SCAN_EOF,
	XML_SCAN_BAD, /* why, line, at */
};

struct xml_attribute {
	struct xml_span name;  /* with its prefix */
	struct xml_span value; /* between the quotes, as written */
	long line;             /* where the value begins */
};

struct xml_scan {
	const struct xml_text *text;
	/* of the last event */
	struct xml_span name, tag;
	struct xml_attribute attributes[XML_ATTRIBUTES_MAX];
	size_t attributes_n;
	size_t depth;
	long line;
	/* BAD: goes on from the file's name, "is not well-formed XML: an end tag does not fit …", and where (bytes) */
	const char *why;
	bool malformed; /* `why` is to be read behind "is not well-formed XML: " */
	size_t bad_at;

	/* private: the character at `at`, `size` bytes long, in line `line_at` */
	size_t at, size;
	uint32_t c;
	long line_at;
	bool after_cr, rooted, ends_at_once, end_follows;
	size_t open_n;
	struct xml_span open[XML_DEPTH_MAX];
};

void xml_scan_init(struct xml_scan *s, const struct xml_text *text);
enum xml_scan_event xml_scan_next(struct xml_scan *s);

/* The attribute of the last START with that name (compared with case), or NULL. */
const struct xml_attribute *xml_scan_attribute(const struct xml_scan *s, const char *name);

/* A reference at `at` (&amp; &#x41; &#65; …): its length in bytes and what it stands for; 0: none that is allowed. */
size_t xml_reference(const struct xml_text *text, size_t at, uint32_t *code);

/* One character of an attribute's value as XML gives it to a program: references decoded, white space as blanks. */
struct xml_value_char {
	uint32_t code;
	size_t at, len; /* bytes of the file */
	bool reference;
};

/* The value's characters, at most `max`. Returns how many; max + 1 where there are more. */
size_t xml_value(const struct xml_text *text, struct xml_span span, struct xml_value_char *out, size_t max);

#endif
