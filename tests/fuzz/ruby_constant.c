/* agents/edit/ruby_constant.h with any bytes: what is found is where it is said to be, and is what is replaced. */
#include "tests/fuzz/fuzz.h"

#include "agents/edit/ruby_constant.h"
#include "base/buf.h"

#include <string.h>

#define NEW_HOST "ws.acme.hes2.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct ruby_constant found, again;
	struct buf out = BUF_INIT;

	ruby_constant_find(text, len, "ROOT_URI", &found);
	if (found.state == RUBY_UNCLEAR)
		REQUIRE(*found.reason && found.lines[0] > 0);
	if (found.state != RUBY_FOUND)
		return 0;
	REQUIRE(found.host_offset <= len && found.host_len <= len - found.host_offset);
	REQUIRE(memcmp(text + found.host_offset, found.host, found.host_len) == 0);
	buf_add(&out, text, found.host_offset);
	buf_adds(&out, NEW_HOST);
	buf_add(&out, text + found.host_offset + found.host_len, len - found.host_offset - found.host_len);
	ruby_constant_find(buf_str(&out), out.len, "ROOT_URI", &again);
	REQUIRE(again.state == RUBY_FOUND && strcmp(again.host, NEW_HOST) == 0);
	REQUIRE(again.host_offset == found.host_offset && again.lines[0] == found.lines[0]);
	buf_release(&out);
	return 0;
}
