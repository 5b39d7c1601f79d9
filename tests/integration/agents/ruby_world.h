/*
 * The usual client of the Ruby client's tests on hosts: its folder belongs to imhs, whose crontab runs it each night. It
 * writes a line to its own log when it runs, so that runs can be counted.
 */
#ifndef TESTS_INTEGRATION_AGENTS_RUBY_WORLD_H
#define TESTS_INTEGRATION_AGENTS_RUBY_WORLD_H

#include "tests/integration/agents/drive.h"
#include "tests/integration/agents/host.h"
#include "tests/lib/unit.h"

#define FOLDER "/opt/imhs-ws-clinet"
#define CONFIG FOLDER "/imhs-config.rb"
#define BACKUP FOLDER "/imhs-config.rb.before-cutover"
#define LOG FOLDER "/sync.log"
#define SPOOL "/var/spool/cron/crontabs"
#define TABLE SPOOL "/imhs"
#define MARKER "#CUTOVER:acme: "

#define OLD_NAME "us.imhs-ws.trendmicro.com"
#define NEW_NAME "ws.acme.hes2.example"

#define SETTINGS(host)                                                                                                 \
	"# -*- coding: utf-8 -*-\n# ROOT_URI = 'https://" OLD_NAME "/imhs/v1.0/en'\nROOT_URI = 'https://" host         \
	"/imhs/v1.0/en'\nACCOUNT = 'admin@acme.example'\nAPI_KEY = 'k-4711-secret'\n"
#define LINE "23 3 * * * cd " FOLDER " && ruby imhs-ws-client.rb"
#define CRONTAB(line) "# directory sync, each night\nMAILTO=\"\"\n" line "\n5 5 * * * /usr/bin/true"
#define SYSTEM_LINE "24 3\t* * *\timhs\t/usr/bin/ruby " FOLDER "/imhs-ws-client.rb"
#define SYSTEM_TABLE(line) "# sync\n" line "\n"
#define CLIENT                                                                                                         \
	"require_relative 'imhs-config'\nFile.open(File.join(__dir__, 'sync.log'), 'a') { |f| f.puts \"#{ROOT_URI} "   \
	"#{Process.uid}\" }\n"
#define GO "sed -n \"s/^ROOT_URI = .\\(.*\\).$/\\1 $(id -u)/p\" imhs-config.rb >>sync.log\n"

#define WITH_PATH "\"path\": \"" FOLDER "\", \"run\": \"sh go.sh\""
#define PLAIN "{" WITH_PATH "}"

/* Begins a test: its host, or a skip with its reason. */
#define HOST_OR_RETURN(shell)                                                                                          \
	do {                                                                                                           \
		if (host_possible()) {                                                                                 \
			printf("SKIP: %s\n", host_possible());                                                         \
			return;                                                                                        \
		}                                                                                                      \
		if (!host_up(shell))                                                                                   \
			return;                                                                                        \
	} while (0)

#define ENDS(end, want, d) ck_assert_msg((end) == (want), "step %s: %s", (d)->step, (d)->text)

/* The client alone; the client and its crontab. */
void make_client(void);
void make_world(void);

void file_is(const char *path, const char *want);
void attributes_are(const char *path, uid_t uid, mode_t mode); /* the group has the same number */

/* Lines of the client's own log; each says the new address and that it ran as its own user. */
int times_run(void);

/* All is done: the new name once, the old file beside it, the crontab as it was, no debt. */
void is_changed(const struct drive *d);

/* What a plan with these parameters finds; text is part of what it says. */
void state_is(const char *params, enum assess_state state, const char *text);

#endif
