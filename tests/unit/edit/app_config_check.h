/*
 * What holds of every file that app_config_look takes, checked; and what the tests of the edit have in common.
 */
#ifndef TESTS_UNIT_EDIT_APP_CONFIG_CHECK_H
#define TESTS_UNIT_EDIT_APP_CONFIG_CHECK_H

#include "agents/edit/app_config.h"

#define KEY "WS_SERVICE_URI"
#define OLD_HOST "us.imhs-ws.trendmicro.com"
#define NEW_HOST "ws.acme.hes2.example"

extern const struct app_config_names app_config_test_names;

/* The file with `host` in the place of the one that was found; the caller releases. */
struct buf app_config_replaced(const char *bytes, size_t len, const struct app_config *found, const char *host);

/* OLD: the change is made and proved, undone, and made again: nothing changes a second time. DRIFT: it has its
   sentence. Anything: what is said is printable and has no userinfo in it. Looks only at the bytes given (they are
   copied). */
void app_config_check(const char *bytes, size_t len, struct app_config *found);

/* Did libxml2 see the same, or had it no opinion? */
bool app_config_has_opinion(const struct app_config *found);

#endif
