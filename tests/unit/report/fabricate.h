/*
 * State files made up for the tests of the report, through the journal itself: entries as the engine writes them, with
 * times, names and values that are the same at each run. Nothing here talks to a host.
 */
#ifndef TESTS_UNIT_REPORT_FABRICATE_H
#define TESTS_UNIT_REPORT_FABRICATE_H

#include "journal/journal.h"
#include "journal/rows.h"
#include "report/model.h"
#include "report/report.h"
#include "tests/lib/unit.h"

/* 2026-12-01T22:00:00+09:00, when the night begins, and 02:13 of that night, when the report is asked for. */
#define FAB_NIGHT INT64_C(1796130000000)
#define FAB_NOW (FAB_NIGHT + (4 * 60 + 13) * 60000)
#define FAB_DAY INT64_C(86400000)

struct fab {
	char folder[64];
	char *path;
	struct journal *journal;
	struct rows rows; /* to know the state that a row comes from */
	int64_t at;	  /* wall time of the next entry; the helpers move it on */
	int64_t run;
	bool web_service; /* the tenants have one: their sync is proved, too */
	struct fab_entry *pending; /* not yet appended */
	size_t pending_n;
};

void fab_init(struct fab *f);
/* Appends what is pending and closes the journal: now the file can be read. */
void fab_close(struct fab *f);
void fab_release(struct fab *f);

/* Adds an entry as it is, but for time and run where they are 0. blob may be NULL. */
void fab_add(struct fab *f, const struct journal_entry *entry, const char *blob);

/* The note of the procedure hes-1-to-2, fifteen steps; and of a made-up one with two. */
void fab_procedure(struct fab *f);
void fab_procedure_short(struct fab *f);

/* A tenant's note: +09:00, migrated on 2026-12-01, one window tonight unless `window_start` says otherwise. */
struct fab_tenant {
	const char *id, *name, *wave, *change_id;
	bool japanese;
	int64_t window_start; /* 0: FAB_NIGHT; seven hours long */
	const char *by;	      /* JSON, or NULL */
};
void fab_tenant(struct fab *f, const struct fab_tenant *t);

void fab_run(struct fab *f, const char *command);
void fab_run_end(struct fab *f, int exit, const char *text);

/* Moves a row; from pending where it is new. code and text may be NULL. */
void fab_move(struct fab *f, const char *tenant, const char *step, const char *target, enum step_state to,
	      const char *code, const char *text);

/* All steps but sync-client, as this version leaves them: blocked, a person's, or not needed. */
void fab_others(struct fab *f, const char *tenant);

/* The sync client of one host, from the first look on. */
enum fab_story {
	FAB_VERIFIED,
	FAB_UNCHANGED,
	FAB_RUN_FAILED,	 /* changed, its own run failed, schedule back on */
	FAB_DRIFT,
	FAB_SUDO,
	FAB_TIMEOUT,	 /* never reached */
	FAB_REFUSED,
	FAB_HOST_KEY,
	FAB_CUT,	 /* the controller died with the schedule off and the write under way */
	FAB_ROLLED_BACK, /* verified, then put back */
	FAB_WAITING,
	FAB_STORIES
};
void fab_client(struct fab *f, const char *tenant, const char *target, enum fab_story story);

/* What a person was told of a row: texts without quotes; ja may be NULL. */
void fab_instruct(struct fab *f, const char *tenant, const char *step, const char *target, const char *who, const char *en,
		  const char *ja);

/* A person's word: the row must need one. */
void fab_confirm(struct fab *f, const char *tenant, const char *step, const char *target, const char *by, const char *note);

/* Everything of a tenant is done: for what no version can do yet. */
void fab_all_done(struct fab *f, const char *tenant);

/* The eight tenants of the golden files, one night: half-switched, failed, drift, cut, unreachable, put back, ready, done. */
void fab_night(struct fab *f);
/* The same while it goes on: no end of the run. */
void fab_fleet(struct fab *f, size_t tenants);
/* Hostile text in every field that a host, a customer or a name can reach. */
void fab_hostile(struct fab *f);

extern const char *const fab_attacks[]; /* ended by NULL */

/* Opens a reader, or fails the test. */
struct journal_reader *fab_reader(struct fab *f);
/* A query of everything at FAB_NOW. */
struct report_query fab_query(struct journal_reader *reader);
struct report *fab_report(struct fab *f, const char *tenant);

#endif
