#include "agents/edit/xml_opinion.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One file as libxml2 sees it. */
struct view {
	xmlDoc *doc;
	xmlAttr *value; /* of the key */
	xmlChar *said;  /* its value in UTF-8 */
	int first_error, line;
	char message[128];
};

__attribute__((format(printf, 3, 4))) static void say(struct xml_opinion *out, enum xml_opinion_kind kind,
						      const char *fmt, ...)
{
	va_list args;

	out->kind = kind;
	va_start(args, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, args);
	va_end(args);
}

/* ---- parsing ---------------------------------------------------------------------------------------------------- */

/* The first error is the cause, those after it may be its effects. */
#if LIBXML_VERSION >= 21200
static void on_error(void *user, const xmlError *error)
#else
static void on_error(void *user, xmlError *error)
#endif
{
	struct view *view = user;

	if (view->first_error || error->level < XML_ERR_ERROR || error->domain == XML_FROM_NAMESPACE)
		return;
	view->first_error = error->code;
	view->line = error->line;
	snprintf(view->message, sizeof(view->message), "%s", error->message ? error->message : "no message");
	view->message[strcspn(view->message, "\n")] = '\0';
	for (char *at = view->message; *at; at++) {
		if ((unsigned char)*at < ' ' || (unsigned char)*at >= 0x7f)
			*at = '?';
	}
}

/* What the parser finds out by itself it is not told. */
static const char *told_encoding(const struct xml_text *text)
{
	if (text->mark || text->declared)
		return NULL;
	switch (text->encoding) {
	case XML_UTF16LE:
		return "UTF-16LE";
	case XML_UTF16BE:
		return "UTF-16BE";
	case XML_ASCII:
	case XML_UTF8:
	case XML_LATIN1:
	case XML_BYTES:
	case XML_SJIS:
	case XML_DOUBLE:
		return NULL;
	}
	abort();
}

/* Is it that it does not understand the bytes, which says nothing of the XML? */
static bool is_of_bytes(const struct view *view, const struct xml_text *text)
{
	if (view->first_error == XML_ERR_UNSUPPORTED_ENCODING || view->first_error == XML_ERR_UNKNOWN_ENCODING ||
	    view->first_error == XML_I18N_NO_HANDLER)
		return true;
	/* libxml2's own decoder of US-ASCII ends the text without a word where a byte is none. */
	return !text->clean && (text->encoding == XML_ASCII || view->first_error == XML_ERR_INVALID_ENCODING ||
				view->first_error == XML_ERR_INVALID_CHAR ||
				view->first_error == XML_I18N_CONV_FAILED || view->first_error == XML_IO_ENCODER);
}

static bool parse(const struct xml_text *text, struct view *view, struct xml_opinion *out)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	int well_formed;

	if (!parser || text->len > INT_MAX)
		abort();
	/* Not the parser's own handler: what goes wrong in decoding would be printed all the same. */
	xmlSetStructuredErrorFunc(view, on_error);
	view->doc = xmlCtxtReadMemory(parser, (const char *)text->bytes, (int)text->len, NULL, told_encoding(text),
				      XML_PARSE_NONET);
	xmlSetStructuredErrorFunc(NULL, NULL);
	well_formed = parser->wellFormed;
	xmlFreeParserCtxt(parser);
	if (view->doc && well_formed)
		return true;
	if (is_of_bytes(view, text))
		say(out, XML_OPINION_NONE, "cannot read the file's bytes, so there is no second opinion (line %d: %s)",
		    view->line, view->message);
	else
		say(out, XML_OPINION_OTHER, "says of line %d: %s", view->line, view->message);
	return false;
}

/* ---- the key ---------------------------------------------------------------------------------------------------- */

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 &&
	       !(node->ns && node->ns->prefix);
}

static xmlAttr *attribute(xmlNode *node, const char *name)
{
	for (xmlAttr *at = node->properties; at; at = at->next) {
		if (!at->ns && strcmp((const char *)at->name, name) == 0)
			return at;
	}
	return NULL;
}

static bool says(xmlAttr *at, const char *key)
{
	xmlChar *text = at ? xmlNodeGetContent((xmlNode *)at) : NULL;
	bool same = text && strcasecmp((const char *)text, key) == 0;

	xmlFree(text);
	return same;
}

/* How many elements with the key there are in appSettings; the last one's value is kept. */
static int find_in(xmlNode *settings, const char *key, struct view *view)
{
	int n = 0;

	for (xmlNode *node = settings->children; node; node = node->next) {
		if (!is_element(node, "add") || !says(attribute(node, "key"), key))
			continue;
		view->value = attribute(node, "value");
		n++;
	}
	return n;
}

static int find(xmlDoc *doc, const char *key, struct view *view)
{
	xmlNode *root = xmlDocGetRootElement(doc);
	int n = 0;

	if (!root || !is_element(root, "configuration"))
		return 0;
	for (xmlNode *node = root->children; node; node = node->next) {
		if (is_element(node, "appSettings"))
			n += find_in(node, key, view);
	}
	return n;
}

/* The next character of theirs, its length in *n; XML_CHAR_END at the end. JIS X 0201 has a yen sign and an overline in
   two places of ASCII: Windows does not, iconv's SHIFT_JIS does. */
static uint32_t their_char(const struct xml_text *text, const char *at, size_t len, size_t *n)
{
	uint32_t code = XML_CHAR_END;

	*n = utf8_next(at, len, &code);
	if (text->encoding == XML_SJIS && code == 0xa5)
		return '\\';
	return text->encoding == XML_SJIS && code == 0x203e ? '~' : code;
}

static bool is_run(uint32_t code)
{
	return code >= 0x80 && code != XML_CHAR_END;
}

/* The scanner does not know all encodings' characters: a run of such stands for any that are not ASCII. */
static bool same_value(const struct xml_text *text, const struct xml_opinion_value *ours, const xmlChar *theirs)
{
	const char *at = (const char *)theirs;
	size_t len = strlen(at), n;
	uint32_t code = their_char(text, at, len, &n);

	for (size_t i = 0; i < ours->n; i++) {
		uint32_t own = ours->at[i].code;

		/* the first of a run takes all of theirs, the others none */
		if (own == XML_CHAR_UNKNOWN && i > 0 && ours->at[i - 1].code == XML_CHAR_UNKNOWN)
			continue;
		if (own == XML_CHAR_UNKNOWN ? !is_run(code) : code != own)
			return false;
		do {
			at += n;
			len -= n;
			code = their_char(text, at, len, &n);
		} while (own == XML_CHAR_UNKNOWN && is_run(code));
	}
	return code == XML_CHAR_END;
}

static bool look(const struct xml_text *text, const struct xml_opinion_value *value, struct view *view,
		 struct xml_opinion *out)
{
	int n;

	if (!parse(text, view, out))
		return false;
	n = find(view->doc, value->key, view);
	view->said = view->value ? xmlNodeGetContent((xmlNode *)view->value) : NULL;
	if (n != 1)
		say(out, XML_OPINION_OTHER, "sees the key %d times", n);
	else if (!view->said)
		say(out, XML_OPINION_OTHER, "sees the key without a value");
	else if (!same_value(text, value, view->said))
		say(out, XML_OPINION_OTHER, "sees another value");
	else
		say(out, XML_OPINION_SAME, "reads the same value");
	return out->kind == XML_OPINION_SAME;
}

static void view_release(struct view *view)
{
	xmlFree(view->said);
	xmlFreeDoc(view->doc);
}

void xml_opinion(const struct xml_text *text, const struct xml_opinion_value *value, struct xml_opinion *out)
{
	struct view view = { 0 };

	look(text, value, &view, out);
	view_release(&view);
}

/* ---- two files -------------------------------------------------------------------------------------------------- */

static bool same_text(const xmlChar *a, const xmlChar *b)
{
	return a == b || (a && b && xmlStrEqual(a, b));
}

static bool same_ns(const xmlNs *a, const xmlNs *b)
{
	return a == b || (a && b && same_text(a->prefix, b->prefix) && same_text(a->href, b->href));
}

static bool same_ns_definitions(const xmlNs *a, const xmlNs *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (!same_ns(a, b))
			return false;
	}
	return a == b;
}

static bool same_attributes(const struct view *a, const xmlNode *left, const struct view *b, const xmlNode *right)
{
	xmlAttr *l = left->properties, *r = right->properties;

	for (; l && r; l = l->next, r = r->next) {
		xmlChar *l_text, *r_text;
		bool same = same_text(l->name, r->name) && same_ns(l->ns, r->ns);

		if (l == a->value || r == b->value) {
			same = same && l == a->value && r == b->value;
		} else {
			l_text = xmlNodeGetContent((xmlNode *)l);
			r_text = xmlNodeGetContent((xmlNode *)r);
			same = same && same_text(l_text, r_text);
			xmlFree(l_text);
			xmlFree(r_text);
		}
		if (!same)
			return false;
	}
	return !l && !r;
}

static bool same_node(const struct view *a, const xmlNode *left, const struct view *b, const xmlNode *right)
{
	if (left->type != right->type || !same_text(left->name, right->name))
		return false;
	if (left->type == XML_ELEMENT_NODE)
		return same_ns(left->ns, right->ns) && same_ns_definitions(left->nsDef, right->nsDef) &&
		       same_attributes(a, left, b, right);
	return same_text(left->content, right->content);
}

/* The next node in document order, of a walk that began among the document's children. */
static xmlNode *after(xmlNode *node)
{
	if (node->type == XML_ELEMENT_NODE && node->children)
		return node->children;
	while (node && !node->next)
		node = node->parent && node->parent->type == XML_ELEMENT_NODE ? node->parent : NULL;
	return node ? node->next : NULL;
}

/* Both trees, step by step: each node has children and a next one where its counterpart has. */
static bool same_trees(const struct view *a, const struct view *b)
{
	xmlNode *left = a->doc->children, *right = b->doc->children;

	while (left && right) {
		if (!same_node(a, left, b, right) || !left->children != !right->children || !left->next != !right->next)
			return false;
		left = after(left);
		right = after(right);
	}
	return !left && !right;
}

void xml_opinion_of_change(const struct xml_text *before, const struct xml_opinion_value *was,
			   const struct xml_text *now, const struct xml_opinion_value *is, struct xml_opinion *out)
{
	struct view a = { 0 }, b = { 0 };

	if (look(before, was, &a, out) && look(now, is, &b, out)) {
		if (same_trees(&a, &b))
			say(out, XML_OPINION_SAME, "reads both files and sees no other difference");
		else
			say(out, XML_OPINION_OTHER, "sees more than one difference");
	} else if (a.said && out->kind == XML_OPINION_NONE) {
		say(out, XML_OPINION_OTHER, "could read the old file and cannot read the changed one (line %d: %s)",
		    b.line, b.message);
	}
	view_release(&a);
	view_release(&b);
}
