/*
 * What libxml2 sees of a .NET configuration file: the second opinion behind app_config.h. Only for files that xml_scan
 * took: they have no DOCTYPE, so nothing is loaded or expanded, and their nesting is bounded. No network, no entities.
 */
#ifndef AGENTS_EDIT_XML_OPINION_H
#define AGENTS_EDIT_XML_OPINION_H

#include "agents/edit/xml_scan.h"

#define XML_OPINION_MAX 256

enum xml_opinion_kind {
	XML_OPINION_SAME,  /* it sees the key once, with this value */
	XML_OPINION_NONE,  /* it cannot read the file's bytes as characters: `text` says why */
	XML_OPINION_OTHER, /* it sees something else: `text` says what */
};

struct xml_opinion {
	enum xml_opinion_kind kind;
	char text[XML_OPINION_MAX]; /* goes on from "libxml2 ": "reads the same value" */
};

/* The value as the scanner has it. */
struct xml_opinion_value {
	const char *key;
	const struct xml_value_char *at;
	size_t n;
};

void xml_opinion(const struct xml_text *text, const struct xml_opinion_value *value, struct xml_opinion *out);

/* Of two files: besides, that they differ in nothing but this one value. SAME, NONE (it cannot read the first one) or
   OTHER. */
void xml_opinion_of_change(const struct xml_text *before, const struct xml_opinion_value *was,
			   const struct xml_text *now, const struct xml_opinion_value *is, struct xml_opinion *out);

#endif
