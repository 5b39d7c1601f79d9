/*
 * The client for Active Directory as it is at first on the Windows host of win_world.h: two services that run, the
 * Agent depending on the Service, and a file that names the old host. For the tests of it, which are test_ad_sync_*.c.
 */
#ifndef TESTS_INTEGRATION_AGENTS_AD_WORLD_H
#define TESTS_INTEGRATION_AGENTS_AD_WORLD_H

#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/win_world.h"
#include "tests/lib/unit.h"

#include "agents/ad_sync_config.h"

#define OLD_NAME "us.imhs-ws.trendmicro.com"
#define NEW_NAME "ws.acme.hes2.example"
#define FOLDER AD_CONFIG_FOLDER
#define CONFIG FOLDER "\\PluginService.exe.config"
#define BACKUP CONFIG ".before-cutover"
#define AGENT "HesSyncAgent"
#define SERVICE "HesSyncService"
#define AGENT_NAME "Hosted Email Security ActiveDirectory Sync Agent"
#define SERVICE_NAME "Hosted Email Security ActiveDirectory Sync Service"

#define FILE_OF(host)                                                                                                  \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<configuration>\r\n  <appSettings>\r\n"                         \
	"    <add key=\"WS_ADMIN_PASSWORD\" value=\"p-4711-secret\"/>\r\n"                                             \
	"    <!-- <add key=\"WS_SERVICE_URI\" value=\"https://" OLD_NAME "/imhs/v1.0/en/\"/> -->\r\n"                  \
	"    <add key=\"WS_SERVICE_URI\" value=\"https://" host "/imhs/v1.0/en/\" />\r\n"                              \
	"  </appSettings>\r\n</configuration>\r\n"

#define ENDS(end, want) ck_assert_msg((end) == (want), "step %s: %s", ad.step, ad.text)
#define SAYS(want, words)                                                                                              \
	ck_assert_msg(ad.kind == (want) && strstr(ad.text, words), "step %s: %s: %s", ad.step, verdict_name(ad.kind),  \
		      ad.text)

extern struct drive ad;

/* The world, with an inventory's entry (JSON); and the end of it. */
void ad_begin(const char *params);
void ad_end(void);

bool ad_file_is(const char *path, const char *want);
bool ad_has_note(const char *words); /* the last assessment */

/* The service runs, and its process has read that host name. */
void ad_runs_with(const char *key, const char *host);
void ad_is_changed(void);   /* all is new, and backed up */
void ad_is_untouched(void); /* all is as it was */

#endif
