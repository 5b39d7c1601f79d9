#include "tests/integration/agents/ad_world.h"

struct drive ad;

void ad_begin(const char *params)
{
	win_begin();
	win.config = CONFIG;
	win_write(CONFIG, FILE_OF(OLD_NAME), strlen(FILE_OF(OLD_NAME)));
	win_service_add(AGENT, AGENT_NAME, "\"" FOLDER "\\PluginService.exe\" -k agent", SC_RUNNING);
	win_service_add(SERVICE, SERVICE_NAME, "\"" FOLDER "\\PluginService.exe\" -k service", SC_RUNNING);
	win_service(AGENT)->depends_on = SERVICE;
	drive_init(&ad, "ad-sync-client", params);
	ad.does = win_do;
}

void ad_end(void)
{
	drive_release(&ad);
	win_end();
}

bool ad_file_is(const char *path, const char *want)
{
	const struct win_file *file = win_file(path);

	return file->there && buf_equals(&file->bytes, want, strlen(want));
}

void ad_runs_with(const char *key, const char *host)
{
	const struct win_service *s = win_service(key);

	ck_assert_msg(s->state == SC_RUNNING, "%s: %s", key, sc_state_name(s->state));
	ck_assert_msg(strcmp(s->read, host) == 0, "%s runs with %s", key, s->read);
}

void ad_is_changed(void)
{
	ck_assert(ad_file_is(CONFIG, FILE_OF(NEW_NAME)));
	ck_assert(ad_file_is(BACKUP, FILE_OF(OLD_NAME)));
	ad_runs_with(AGENT, NEW_NAME);
	ad_runs_with(SERVICE, NEW_NAME);
	ck_assert_uint_eq(ad.debts_n, 0);
}

void ad_is_untouched(void)
{
	ck_assert(ad_file_is(CONFIG, FILE_OF(OLD_NAME)));
	ad_runs_with(AGENT, OLD_NAME);
	ad_runs_with(SERVICE, OLD_NAME);
	ck_assert_uint_eq(ad.debts_n, 0);
	ck_assert_int_eq(ad.replaced, 0);
}

bool ad_has_note(const char *words)
{
	for (size_t i = 0; i < ad.assessment.notes_n; i++) {
		if (strstr(ad.assessment.notes[i], words))
			return true;
	}
	return false;
}
