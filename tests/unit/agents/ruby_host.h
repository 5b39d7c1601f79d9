/*
 * The usual host of the Ruby client's tests: a client in /opt/imhs-ws-clinet that belongs to the user sync, whose crontab
 * runs it. Begin with recorded_begin(&agent_ruby_client, PARAMS), see recorded.h.
 */
#ifndef TESTS_UNIT_AGENTS_RUBY_HOST_H
#define TESTS_UNIT_AGENTS_RUBY_HOST_H

#include "tests/unit/agents/recorded.h"

#define FOLDER "/opt/imhs-ws-clinet"
#define CONFIG FOLDER "/imhs-config.rb"
#define OLD_TEXT "KEY = 'k'\nROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'\n"
#define NEW_TEXT "KEY = 'k'\nROOT_URI = 'https://ws.acme.hes2.example/imhs/v1.0/en'\n"
#define LINE "23 3 * * * cd " FOLDER " && ruby imhs-ws-client.rb"
#define TABLE_ON "MAILTO=x\n" LINE "\n"
#define TABLE_OFF "MAILTO=x\n#CUTOVER:acme: " LINE "\n"
#define SPOOL "/var/spool/cron/crontabs/sync"

/* Rows of the agent's tables. */
const struct step *observe(const char *name);
const struct step *apply(const char *name);
const struct step *restore(void); /* schedule-on, the only one */
const struct step *verify(const char *name);

/* Answers observe[]: that text in imhs-config.rb, that crontab (NULL: none). What was seen before is forgotten. */
void see(const char *text, const char *table);

/* The op installs that crontab over the other one. */
void installs(const struct op *op, const char *from, const char *to);

#endif
