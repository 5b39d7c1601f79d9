#include "agents/edit/app_config.h"
#include "agents/edit/url_host.h"
#include "agents/edit/xml_opinion.h"
#include "agents/edit/xml_scan.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define URL_CHARS_MAX 1024
#define KEY_CHARS_MAX 128
#define SHOWN_CHARS_MAX 4096

/* ---- what is found ---------------------------------------------------------------------------------------------- */

/* What one reading of the file finds that matters; of each the first place, lines from 1. */
struct reading {
	const struct xml_text *text;
	const char *key;
	bool root_is_configuration;
	bool in_settings, in_location, in_add; /* while reading */
	size_t settings_n, adds_n;
	long root_line, settings_line, settings_again_line, location_line, encrypted_line, elsewhere_line;
	long removed_line; /* behind the first add */
	long add_line, add_again_line, content_line, spelled_line;
	const char *elsewhere; /* the attribute's name */
	struct xml_span tag, value;
	bool has_value;
	long value_line;
};

/* A value and what it says. */
struct value {
	struct xml_value_char at[URL_CHARS_MAX];
	size_t n;
};

__attribute__((format(printf, 3, 4))) static void drift(struct app_config *found, long line, const char *fmt, ...)
{
	va_list args;

	found->state = APP_CONFIG_DRIFT;
	found->line = line;
	va_start(args, fmt);
	vsnprintf(found->why, sizeof(found->why), fmt, args);
	va_end(args);
	for (char *at = found->why; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static uint32_t lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Is this element about the key? *exact: spelled as we have it. .NET does not look at the case. */
static bool names_key(const struct reading *r, const struct xml_scan *s, bool *exact)
{
	const struct xml_attribute *attribute = xml_scan_attribute(s, "key");
	struct xml_value_char at[KEY_CHARS_MAX];
	size_t n = attribute ? xml_value(r->text, attribute->value, at, KEY_CHARS_MAX) : 0;

	*exact = true;
	if (n != strlen(r->key))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t wanted = (unsigned char)r->key[i];

		*exact = *exact && at[i].code == wanted;
		if (lower(at[i].code) != lower(wanted))
			return false;
	}
	return true;
}

static void note(long *line, const struct xml_scan *s)
{
	if (!*line)
		*line = s->line;
}

static void see_settings(struct reading *r, const struct xml_scan *s)
{
	static const char *const elsewhere[] = { "configSource", "file" };

	r->in_settings = true;
	if (r->settings_n++)
		note(&r->settings_again_line, s);
	note(&r->settings_line, s);
	if (xml_scan_attribute(s, "configProtectionProvider"))
		note(&r->encrypted_line, s);
	for (size_t i = 0; i < 2; i++) {
		if (!xml_scan_attribute(s, elsewhere[i]) || r->elsewhere)
			continue;
		r->elsewhere = elsewhere[i];
		r->elsewhere_line = s->line;
	}
}

static void see_add(struct reading *r, const struct xml_scan *s)
{
	const struct xml_attribute *value = xml_scan_attribute(s, "value");
	bool exact;

	if (!names_key(r, s, &exact))
		return;
	r->in_add = true;
	if (!exact)
		note(&r->spelled_line, s);
	if (r->adds_n++) {
		note(&r->add_again_line, s);
		return;
	}
	r->add_line = s->line;
	r->tag = s->tag;
	r->has_value = value != NULL;
	if (value) {
		r->value = value->value;
		r->value_line = value->line;
	}
}

static bool is_encrypted_data(const struct reading *r, const struct xml_scan *s)
{
	struct xml_span name = s->name;
	uint32_t c;

	for (size_t at = name.at; at < s->name.at + s->name.len;) {
		at += xml_char(r->text, at, &c);
		if (c == ':')
			name = (struct xml_span){ at, s->name.at + s->name.len - at };
	}
	return xml_span_is(r->text, name, "EncryptedData");
}

static void see_in_settings(struct reading *r, const struct xml_scan *s)
{
	bool exact;

	if (xml_span_is(r->text, s->name, "add"))
		see_add(r, s);
	else if (is_encrypted_data(r, s))
		note(&r->encrypted_line, s);
	else if (r->adds_n && (xml_span_is(r->text, s->name, "clear") ||
			       (xml_span_is(r->text, s->name, "remove") && names_key(r, s, &exact))))
		note(&r->removed_line, s);
}

static void see_start(struct reading *r, const struct xml_scan *s)
{
	bool settings = xml_span_is(r->text, s->name, "appSettings");

	if (s->depth == 1) {
		r->root_line = s->line;
		r->root_is_configuration = xml_span_is(r->text, s->name, "configuration");
	} else if (s->depth == 2 && settings) {
		see_settings(r, s);
	} else if (s->depth == 2) {
		r->in_location = xml_span_is(r->text, s->name, "location");
	} else if (s->depth == 3 && r->in_location && settings) {
		note(&r->location_line, s);
	} else if (s->depth == 3 && r->in_settings) {
		see_in_settings(r, s);
	} else if (r->in_add) {
		note(&r->content_line, s);
	}
}

static void see_end(struct reading *r, const struct xml_scan *s)
{
	if (s->depth == 2)
		r->in_settings = r->in_location = false;
	if (s->depth == 3)
		r->in_add = false;
}

static void drift_of_scan(struct app_config *found, const struct xml_scan *s)
{
	char place[40] = "";

	if (s->line)
		snprintf(place, sizeof(place), " (byte %zu)", s->bad_at);
	drift(found, s->line, "%s%s%s", s->malformed ? "is not well-formed XML: " : "", s->why, place);
}

/* False when the file cannot be read to its end. */
static bool read_all(struct reading *r, struct app_config *found)
{
	struct xml_scan s;

	xml_scan_init(&s, r->text);
	for (;;) {
		switch (xml_scan_next(&s)) {
		case XML_SCAN_START:
			see_start(r, &s);
			break;
		case XML_SCAN_END:
			see_end(r, &s);
			break;
		case XML_SCAN_TEXT:
			if (r->in_add)
				note(&r->content_line, &s);
			break;
		case XML_SCAN_EOF:
			return true;
		case XML_SCAN_BAD:
			drift_of_scan(found, &s);
			return false;
		}
	}
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

/* Is there one section that says what the program sees? */
static bool judge_section(const struct reading *r, struct app_config *found)
{
	if (!r->root_is_configuration)
		drift(found, r->root_line, "is no .NET configuration: its root element is not <configuration>");
	else if (r->location_line)
		drift(found, r->location_line,
		      "has an <appSettings> in a <location>, which may be the one that counts");
	else if (!r->settings_n)
		drift(found, 0, "has no <appSettings> in <configuration>, so no %s", r->key);
	else if (r->settings_again_line)
		drift(found, r->settings_again_line, "has a second <appSettings> (the first one is in line %ld)",
		      r->settings_line);
	else if (r->encrypted_line)
		drift(found, r->encrypted_line, "has an encrypted <appSettings>: change the value with aspnet_regiis");
	else if (r->elsewhere)
		drift(found, r->elsewhere_line,
		      "has an <appSettings> with %s=, so that the value may stand in another file", r->elsewhere);
	else
		return true;
	return false;
}

/* Is there one element that says the value? */
static bool judge_element(const struct reading *r, struct app_config *found)
{
	if (!r->adds_n)
		drift(found, r->settings_line, "has no key %s in <appSettings>", r->key);
	else if (r->removed_line)
		drift(found, r->removed_line, "takes the key %s of line %ld away again", r->key, r->add_line);
	else if (r->adds_n > 1)
		drift(found, r->add_again_line, "has the key %s again (the first one is in line %ld)", r->key,
		      r->add_line);
	else if (r->spelled_line)
		drift(found, r->spelled_line, "has the key %s in another spelling", r->key);
	else if (r->content_line)
		drift(found, r->content_line, "has something inside of the element with the key %s", r->key);
	else if (!r->has_value)
		drift(found, r->add_line, "has the key %s without a value", r->key);
	else
		return true;
	return false;
}

static bool is_known(const struct app_config_names *names, const char *host)
{
	for (size_t i = 0; i < names->old_n; i++) {
		if (url_same_host(host, names->old_hosts[i]))
			return true;
	}
	return false;
}

static void judge_host(const struct app_config_names *names, struct app_config *found)
{
	if (url_same_host(found->host, names->new_host)) {
		found->state = APP_CONFIG_NEW;
	} else if (!is_known(names, found->host)) {
		drift(found, found->line,
		      "names %s, which is neither the vendor's old name nor the new one (%s): decide what it should be",
		      found->host, names->new_host);
	} else if (!found->host_len) {
		drift(found, found->line, "names %s written with references (&#…;): change it by hand", found->host);
	} else {
		found->state = APP_CONFIG_OLD;
	}
}

/* The file's bytes that characters [at, at + n) of the value are. */
static struct xml_span span_of(const struct value *value, size_t at, size_t n)
{
	const struct xml_value_char *first = &value->at[at], *last = first + n - 1;

	if (!n)
		return (struct xml_span){ 0 };
	return (struct xml_span){ first->at, last->at + last->len - first->at };
}

static void set_places(struct app_config *found, const struct value *value, size_t lead, const struct url_host *url,
		       size_t url_len)
{
	struct xml_span host = span_of(value, lead + url->host, url->host_len);
	struct xml_span userinfo = span_of(value, lead + url->userinfo, url->userinfo_len);
	struct xml_span query = span_of(value, lead + url->query, url_len - url->query);

	for (size_t i = 0; i < url->host_len; i++) {
		if (value->at[lead + url->host + i].reference)
			host.len = 0;
	}
	found->host_offset = host.len ? host.at : 0;
	found->host_len = host.len;
	found->userinfo_offset = userinfo.at;
	found->userinfo_len = userinfo.len;
	found->query_offset = query.at;
	found->query_len = query.len;
}

/* The URL in the value, without the white space around it. */
static bool judge_url(const struct reading *r, const struct value *value, struct app_config *found)
{
	char flat[URL_CHARS_MAX];
	size_t lead = 0, n = value->n;
	struct url_host url;

	while (lead < n && value->at[lead].code == ' ')
		lead++;
	while (n > lead && value->at[n - 1].code == ' ')
		n--;
	for (size_t i = lead; i < n; i++)
		flat[i - lead] = value->at[i].code < 0x80 ? (char)value->at[i].code : '\x7f';
	if (!url_host_find(flat, n - lead, &url)) {
		drift(found, r->value_line, "has the key %s with a value that is no http or https URL with a host name",
		      r->key);
		return false;
	}
	snprintf(found->host, sizeof(found->host), "%.*s", (int)url.host_len, flat + url.host);
	url_host_show(flat, &url, found->shown, sizeof(found->shown));
	set_places(found, value, lead, &url, n - lead);
	return true;
}

/* The line the host stands in: a value may go over several. */
static long line_of_host(const struct reading *r, const struct app_config *found)
{
	long line = r->value_line;
	bool after_cr = false;

	for (size_t at = r->value.at; at < found->host_offset;) {
		uint32_t c;

		at += xml_char(r->text, at, &c);
		line += c == '\r' || (c == '\n' && !after_cr);
		after_cr = c == '\r';
	}
	return line;
}

static void judge(const struct reading *r, const struct app_config_names *names, struct value *value,
		  struct app_config *found)
{
	if (!judge_section(r, found) || !judge_element(r, found))
		return;
	value->n = xml_value(r->text, r->value, value->at, URL_CHARS_MAX);
	if (value->n > URL_CHARS_MAX) {
		drift(found, r->value_line, "has the key %s with a value of more than %d characters", r->key,
		      URL_CHARS_MAX);
		return;
	}
	if (!judge_url(r, value, found))
		return;
	found->element_offset = r->tag.at;
	found->element_len = r->tag.len;
	found->line = line_of_host(r, found);
	judge_host(names, found);
}

static void look_as(const struct xml_text *text, const struct app_config_names *names, struct value *value,
		    struct app_config *found)
{
	struct reading reading = { .text = text, .key = names->key };

	*found = (struct app_config){ .wide = text->encoding == XML_UTF16LE || text->encoding == XML_UTF16BE,
				      .big_endian = text->encoding == XML_UTF16BE };
	if (read_all(&reading, found))
		judge(&reading, names, value, found);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Bytes that are no UTF-8 in a file that should be: what do the encodings say that they may be in? */
static void look_otherwise(struct xml_text text, const struct app_config_names *names, struct app_config *found)
{
	static const enum xml_encoding others[] = { XML_SJIS, XML_DOUBLE };
	struct app_config other;
	struct value value;

	text.lenient = true;
	for (size_t i = 0; i < 2 && found->state != APP_CONFIG_DRIFT; i++) {
		text.encoding = others[i];
		look_as(&text, names, &value, &other);
		if (other.state != found->state || other.host_offset != found->host_offset ||
		    other.host_len != found->host_len || other.element_len != found->element_len)
			drift(found, found->line, "has bytes that are no %s, and read as %s it says something else",
			      text.label, i ? "GBK or Big5" : "Shift_JIS");
	}
}

static void look(const struct xml_text *text, const struct app_config_names *names, struct value *value,
		 struct app_config *found)
{
	look_as(text, names, value, found);
	if (!text->clean && (text->encoding == XML_UTF8 || text->encoding == XML_ASCII))
		look_otherwise(*text, names, found);
	snprintf(found->encoding, sizeof(found->encoding), "%s", text->label);
}

/* False with a drift: not a text. */
static bool open_text(const void *bytes, size_t len, struct xml_text *text, struct app_config *found)
{
	const char *why = NULL;

	*found = (struct app_config){ 0 };
	if (xml_text_open(bytes, len, text, &why))
		return true;
	drift(found, 1, "%s (%s)", why, text->label);
	snprintf(found->encoding, sizeof(found->encoding), "%s", text->label);
	return false;
}

void app_config_look(const void *bytes, size_t len, const struct app_config_names *names, struct app_config *found)
{
	struct xml_text text;
	struct value value;
	struct xml_opinion opinion;

	if (!open_text(bytes, len, &text, found))
		return;
	look(&text, names, &value, found);
	if (found->state == APP_CONFIG_DRIFT)
		return;
	xml_opinion(&text, &(struct xml_opinion_value){ names->key, value.at, value.n }, &opinion);
	if (opinion.kind == XML_OPINION_OTHER)
		drift(found, 0, "is read differently by libxml2, which %s", opinion.text);
	else
		snprintf(found->evidence, sizeof(found->evidence), "libxml2 %s", opinion.text);
}

/* ---- the change ------------------------------------------------------------------------------------------------- */

int app_config_host_bytes(const struct app_config *found, const char *host, struct buf *out, struct err *err)
{
	if (!url_is_host(host, strlen(host)))
		return err_set(err, E_INVAL, "%s is no host name", host);
	for (; *host; host++) {
		if (found->wide && found->big_endian)
			buf_addc(out, '\0');
		buf_addc(out, *host);
		if (found->wide && !found->big_endian)
			buf_addc(out, '\0');
	}
	return 0;
}

/* For people: what is not to be seen, and where. Returns where to go on. */
static size_t hide(const struct app_config *found, size_t at, const char *host, struct buf *out)
{
	if (found->userinfo_len && at == found->userinfo_offset) {
		buf_adds(out, "…");
		return at + found->userinfo_len;
	}
	if (found->query_len && at == found->query_offset) {
		buf_adds(out, "…");
		return at + found->query_len;
	}
	if (host && at == found->host_offset) {
		buf_adds(out, host);
		return at + found->host_len;
	}
	return at;
}

/* The start tag in one line, white space and what is no character of a text as one blank or U+FFFD. */
static void show_element(const struct xml_text *text, const struct app_config *found, const char *host, struct buf *out)
{
	size_t end = found->element_offset + found->element_len, n = 0;
	bool space = false;

	for (size_t at = found->element_offset; at < end && n < SHOWN_CHARS_MAX; n++) {
		size_t hidden = hide(found, at, host, out);
		uint32_t c;

		if (hidden != at) {
			at = hidden;
			continue;
		}
		at += xml_char(text, at, &c);
		if (!xml_is_space(c))
			utf8_add(out, c == 0x7f ? 0xfffd : c);
		else if (!space)
			buf_addc(out, ' ');
		space = xml_is_space(c);
	}
}

void app_config_lines(const void *bytes, size_t len, const struct app_config *found, const char *host, struct buf *was,
		      struct buf *will_be)
{
	struct xml_text text;
	const char *why;

	if (!found->host_len || !xml_text_open(bytes, len, &text, &why))
		return;
	show_element(&text, found, NULL, was);
	show_element(&text, found, host, will_be);
}

/* ---- the proof -------------------------------------------------------------------------------------------------- */

struct side {
	const unsigned char *bytes;
	size_t len;
	struct xml_text text;
	struct value value;
	struct app_config found;
};

static int look_at_side(struct side *side, enum app_config_state wanted, const struct app_config_names *names,
			struct err *err)
{
	const char *which = wanted == APP_CONFIG_OLD ? "the file before the change" : "the changed file";

	if (open_text(side->bytes, side->len, &side->text, &side->found))
		look(&side->text, names, &side->value, &side->found);
	if (side->found.state == wanted)
		return 0;
	return err_set(err, E_INVAL, "%s %s", which,
		       side->found.state == APP_CONFIG_DRIFT ? side->found.why
		       : wanted == APP_CONFIG_OLD            ? "names the new host already"
							     : "still names the old host");
}

static int same_around(const struct side *a, const struct side *b, const char *new_host, struct err *err)
{
	size_t a_end = a->found.host_offset + a->found.host_len, b_end = b->found.host_offset + b->found.host_len;
	struct buf host = BUF_INIT;
	int rc = app_config_host_bytes(&a->found, new_host, &host, err);

	if (!rc &&
	    (a->found.host_offset != b->found.host_offset || memcmp(a->bytes, b->bytes, a->found.host_offset) != 0 ||
	     a->len - a_end != b->len - b_end || memcmp(a->bytes + a_end, b->bytes + b_end, a->len - a_end) != 0))
		rc = err_set(err, E_INVAL, "the changed file differs from the one before in more than the host name");
	if (!rc && !buf_equals(&host, b->bytes + b->found.host_offset, b->found.host_len))
		rc = err_set(err, E_INVAL, "the changed file does not have the host name as it was to be written");
	buf_release(&host);
	return rc;
}

static int second_opinion(const struct side *a, const struct side *b, const char *key, char *evidence, struct err *err)
{
	struct xml_opinion opinion;

	xml_opinion_of_change(&a->text, &(struct xml_opinion_value){ key, a->value.at, a->value.n }, &b->text,
			      &(struct xml_opinion_value){ key, b->value.at, b->value.n }, &opinion);
	if (opinion.kind == XML_OPINION_OTHER)
		return err_set(err, E_INVAL, "the change is read differently by libxml2, which %s", opinion.text);
	if (evidence)
		snprintf(evidence, APP_CONFIG_TEXT_MAX, "libxml2 %s", opinion.text);
	return 0;
}

int app_config_prove(const void *before, size_t before_len, const void *now, size_t now_len,
		     const struct app_config_names *names, char evidence[APP_CONFIG_TEXT_MAX], struct err *err)
{
	struct side a = { .bytes = before, .len = before_len }, b = { .bytes = now, .len = now_len };
	int rc = look_at_side(&a, APP_CONFIG_OLD, names, err);

	if (!rc)
		rc = look_at_side(&b, APP_CONFIG_NEW, names, err);
	if (!rc)
		rc = same_around(&a, &b, names->new_host, err);
	return rc ? rc : second_opinion(&a, &b, names->key, evidence, err);
}
