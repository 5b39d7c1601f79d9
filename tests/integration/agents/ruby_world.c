#include "tests/integration/agents/ruby_world.h"

#include <sys/stat.h>
#include <unistd.h>

void make_client(void)
{
	unlink(BACKUP);
	unlink(LOG);
	host_write(CONFIG, HOST_UID, 0640, SETTINGS(OLD_NAME));
	host_write(FOLDER "/imhs-ws-client.rb", HOST_UID, 0644, CLIENT);
	host_write(FOLDER "/go.sh", HOST_UID, 0644, GO);
	ck_assert_int_eq(chown(FOLDER, HOST_UID, HOST_UID), 0);
}

void make_world(void)
{
	make_client();
	host_write(TABLE, HOST_UID, 0600, CRONTAB(LINE));
}

void file_is(const char *path, const char *want)
{
	char *text = host_read(path);

	ck_assert_msg(text != NULL, "%s is not there", path);
	ck_assert_str_eq(text, want);
	free(text);
}

void attributes_are(const char *path, uid_t uid, mode_t mode)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_uid, uid);
	ck_assert_uint_eq(st.st_gid, uid);
	ck_assert_uint_eq(st.st_mode & 07777, mode);
}

/* Lines of the client's own log; each says the new address and that it ran as its own user. */
int times_run(void)
{
	char *text = host_read(LOG);
	int n = 0;

	for (char *line = text, *end; line && *line; line = end + 1, n++) {
		end = strchr(line, '\n');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		ck_assert_str_eq(line, "https://" NEW_NAME "/imhs/v1.0/en 4000");
	}
	free(text);
	return n;
}

void is_changed(const struct drive *d)
{
	file_is(CONFIG, SETTINGS(NEW_NAME));
	attributes_are(CONFIG, HOST_UID, 0640);
	file_is(BACKUP, SETTINGS(OLD_NAME));
	file_is(TABLE, CRONTAB(LINE));
	attributes_are(TABLE, HOST_UID, 0600);
	ck_assert_int_eq(host_count(SPOOL), 1);
	ck_assert_uint_eq(d->debts_n, 0);
	ck_assert_int_eq(d->replaced, 1);
	ck_assert_int_ge(times_run(), 1);
}

void state_is(const char *params, enum assess_state state, const char *text)
{
	struct drive d;

	drive_init(&d, "ruby-client", params);
	ENDS(drive_plan(&d), DRIVE_DONE, &d);
	ck_assert_msg(d.assessment.state == state, "%s: %s", assess_state_name(d.assessment.state), d.assessment.text);
	ck_assert_msg(strstr(d.assessment.text, text), "%s", d.assessment.text);
	drive_release(&d);
}
