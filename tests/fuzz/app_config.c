/*
 * agents/edit/app_config.h with any bytes: what is found is where it is said to be, the change changes nothing else and
 * can be undone, and the scanner takes what libxml2 takes and refuses what libxml2 refuses.
 */
#include "tests/fuzz/fuzz.h"

#include "agents/edit/app_config.h"
#include "agents/edit/xml_scan.h"

#include <libxml/parser.h>
#include <string.h>

static const char *const old_hosts[] = { "us.imhs-ws.trendmicro.com", "a" };
static const struct app_config_names names = { "WS_SERVICE_URI", old_hosts, 2, "ws.acme.hes2.example" };

static struct buf replaced(const char *bytes, size_t len, const struct app_config *found, const char *host)
{
	struct buf out = BUF_INIT;

	buf_add(&out, bytes, found->host_offset);
	REQUIRE(app_config_host_bytes(found, host, &out, NULL) == 0);
	buf_add(&out, bytes + found->host_offset + found->host_len, len - found->host_offset - found->host_len);
	return out;
}

static void change(const char *bytes, size_t len, const struct app_config *found)
{
	struct buf now = replaced(bytes, len, found, names.new_host), was = BUF_INIT, will_be = BUF_INIT, back;
	struct app_config again;
	struct err err = { 0 };
	int rc = app_config_prove(bytes, len, buf_str(&now), now.len, &names, NULL, &err);

	if (rc)
		fprintf(stderr, "%s\n", err.text);
	REQUIRE(rc == 0);
	app_config_look(buf_str(&now), now.len, &names, &again);
	REQUIRE(again.state == APP_CONFIG_NEW && again.host_offset == found->host_offset && again.line == found->line);
	back = replaced(buf_str(&now), now.len, &again, found->host);
	REQUIRE(buf_equals(&back, bytes, len));
	app_config_lines(bytes, len, found, names.new_host, &was, &will_be);
	REQUIRE(strlen(buf_str(&was)) == was.len && strlen(buf_str(&will_be)) == will_be.len);
	buf_release(&now);
	buf_release(&back);
	buf_release(&was);
	buf_release(&will_be);
}

static void ignore(void *user, const char *fmt, ...)
{
	(void)user;
	(void)fmt;
}

static bool libxml2_takes(const char *bytes, size_t len)
{
	xmlParserCtxt *parser = xmlNewParserCtxt();
	xmlDoc *doc;
	bool takes;

	xmlSetGenericErrorFunc(NULL, ignore);
	doc = xmlCtxtReadMemory(parser, bytes, (int)len, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	takes = doc && parser->wellFormed;
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(parser);
	return takes;
}

static bool we_take(const struct xml_text *text, const char **why)
{
	struct xml_scan scan;
	enum xml_scan_event event;

	xml_scan_init(&scan, text);
	do
		event = xml_scan_next(&scan);
	while (event != XML_SCAN_EOF && event != XML_SCAN_BAD);
	*why = scan.why;
	return event == XML_SCAN_EOF;
}

/* Only what both are to read: UTF-8; no DOCTYPE, which the scanner never takes; no NUL, which libxml2 lets stand at the
   end. */
static void compare(const char *bytes, size_t len)
{
	struct xml_text text;
	const char *why;

	for (size_t i = 0; i < len; i++) {
		if (!bytes[i])
			return;
	}
	if (memmem(bytes, len, "<!DOCTYPE", 9) || !xml_text_open(bytes, len, &text, &why) || text.encoding > XML_UTF8 || !text.clean)
		return;
	if (we_take(&text, &why) == libxml2_takes(bytes, len) || (why && strstr(why, "than ")))
		return;
	fprintf(stderr, "ours: %s\n", why ? why : "takes it");
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *bytes = (const char *)data;
	struct app_config found;

	app_config_look(bytes, len, &names, &found);
	if (found.state == APP_CONFIG_OLD)
		change(bytes, len, &found);
	if (found.state == APP_CONFIG_DRIFT)
		REQUIRE(*found.why);
	compare(bytes, len);
	return 0;
}
