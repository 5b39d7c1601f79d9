/* agents/edit/crontab.h with any bytes: an entry that is switched off and on again leaves the bytes as they were. */
#include "tests/fuzz/fuzz.h"

#include "agents/edit/crontab.h"

#include <string.h>

#define MARKER "#CUTOVER:acme: "

static const char *const folders[] = { "/opt/imhs-ws-clinet", NULL };
static const char *const names[] = { "imhs-ws-clinet", "imhs-ws-client.rb", NULL };
static const struct crontab_client client = { folders, names };

static void off_and_on(const char *text, size_t len, const struct crontab_entry *entry)
{
	const char *line = text + entry->body_offset;
	struct buf off = BUF_INIT, on = BUF_INIT;
	int rc = crontab_disable(text, len, line, entry->body_len, MARKER, &off, NULL);

	REQUIRE(rc == 0 || rc == E_EXISTS || rc == E_INVAL);
	if (rc == 0) {
		REQUIRE(off.len == len + strlen(MARKER));
		REQUIRE(crontab_enable(buf_str(&off), off.len, line, entry->body_len, MARKER, &on, NULL) == 0);
		REQUIRE(buf_equals(&on, text, len));
	}
	buf_release(&off);
	buf_release(&on);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	enum crontab_format format = len % 2 ? CRONTAB_USER : CRONTAB_SYSTEM;
	struct crontab_entry *found;
	size_t n;

	crontab_find(text, len, format, &client, MARKER, &found, &n);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(found[i].offset <= len && found[i].len <= len - found[i].offset);
		REQUIRE(found[i].body_offset + found[i].body_len == found[i].offset + found[i].len);
		if (!found[i].off)
			off_and_on(text, len, &found[i]);
	}
	free(found);
	return 0;
}
