/*
 * The bytes of an XML file as characters. Which encoding they are in is found as XML 1.0 (appendix F) and .NET find it:
 * the byte order mark, else the first bytes, else the declaration, else UTF-8. These must not contradict each other.
 *
 * Nothing here refuses a byte for being no character of the encoding: it is XML_CHAR_UNKNOWN, one byte long, and where
 * it stands in nothing that matters it does not matter. Only where a byte that delimits something may or may not belong
 * to the byte in front of it (Shift_JIS, GBK, as declared), it is XML_CHAR_BAD, and the file is not read.
 */
#ifndef AGENTS_EDIT_XML_TEXT_H
#define AGENTS_EDIT_XML_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XML_CHAR_UNKNOWN 0xfffffff0u /* not ASCII, and nobody here knows which */
#define XML_CHAR_BAD 0xfffffff1u
#define XML_CHAR_END 0xfffffff2u

#define XML_LABEL_MAX 64

enum xml_encoding {
	XML_ASCII,  /* US-ASCII: more than that is XML_CHAR_UNKNOWN */
	XML_UTF8,   /* what is none is XML_CHAR_UNKNOWN */
	XML_LATIN1, /* ISO-8859-1 */
	XML_BYTES,  /* each byte from 0x80 on is no ASCII character or a part of none: ISO-8859-x, Windows-125x, EUC */
	XML_SJIS,   /* the second byte of a character may be ASCII, from 0x40 on */
	XML_DOUBLE, /* the same with GBK, Big5, CP949; GB18030 */
	XML_UTF16LE,
	XML_UTF16BE,
};

struct xml_span {
	size_t at, len; /* bytes of the file */
};

struct xml_text {
	const unsigned char *bytes;
	size_t len;
	size_t start; /* behind the byte order mark */
	size_t body;  /* behind the XML declaration, or start */
	enum xml_encoding encoding;
	bool mark, declared;
	bool lenient;              /* no XML_CHAR_BAD: for reading it in another encoding than it should be in */
	bool clean;                /* all of it is known: neither XML_CHAR_UNKNOWN nor XML_CHAR_BAD */
	char label[XML_LABEL_MAX]; /* for people: "UTF-8 with BOM", "shift_jis" */
};

/* False: it cannot be read, and *why says why; it goes on from the file's name ("declares UTF-16 and is not"). What is
   named by `label` is then the declared encoding. */
bool xml_text_open(const void *bytes, size_t len, struct xml_text *text, const char **why);

/* The character at `at` and its length in bytes; at the end 0 and XML_CHAR_END. */
size_t xml_char(const struct xml_text *text, size_t at, uint32_t *code);

/* Is what stands at `at` (in the span) this ASCII text? xml_looking_at gives its length in bytes, or 0. */
size_t xml_looking_at(const struct xml_text *text, size_t at, const char *ascii);
bool xml_span_is(const struct xml_text *text, struct xml_span span, const char *ascii);

bool xml_is_space(uint32_t code);

#endif
