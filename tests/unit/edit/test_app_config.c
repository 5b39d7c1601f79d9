#include "tests/unit/edit/app_config_check.h"
#include "tests/unit/edit/golden.h"
#include "tests/lib/unit.h"

#include "base/alloc.h"
#include "base/clock.h"

#define GOLDEN_LEAST 150

/* ---- golden files ----------------------------------------------------------------------------------------------- */

static void describe(const struct app_config *found, struct buf *out)
{
	switch (found->state) {
	case APP_CONFIG_OLD:
		buf_adds(out, "old");
		break;
	case APP_CONFIG_NEW:
		buf_adds(out, "new");
		break;
	case APP_CONFIG_DRIFT:
		buf_addf(out, "drift %ld %s\n", found->line, found->why);
		return;
	}
	buf_addf(out, " %ld %s\n%s, libxml2: %s\n", found->line, found->shown, found->encoding,
		 app_config_has_opinion(found) ? "same" : "none");
}

static void one_golden(const char *name, const struct buf *in)
{
	struct app_config found;
	struct buf said = BUF_INIT;

	app_config_check(buf_str(in), in->len, &found);
	describe(&found, &said);
	golden_same(name, ".want", buf_str(&said), said.len);
	if (found.state == APP_CONFIG_OLD) {
		struct buf out = app_config_replaced(buf_str(in), in->len, &found, NEW_HOST);

		golden_same(name, ".out", buf_str(&out), out.len);
		buf_release(&out);
	}
	buf_release(&said);
}

START_TEST(test_golden)
{
	ck_assert_int_ge(golden_each("appconfig", ".config", one_golden), GOLDEN_LEAST);
}
END_TEST

SUITE(app_config)
{
	TEST_CASE(s, test_golden);
}
