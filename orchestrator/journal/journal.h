/*
 * The journal: what was done, by whom, when and with what outcome, in one SQLite file (the *state file*). It is the only
 * memory of the program: everything that is known after a crash is read from here (rows.h folds it).
 *
 * Rules.
 *   - Entries are added, never changed or deleted (triggers refuse it). Each carries the hash of the one before it of the
 *     same tenant (or of the run-level chain, tenant ""), from the first entry on.
 *   - An append is all or nothing, and its callback comes only when it is on the disk (WAL, synchronous=FULL). The
 *     writer is one connection on a thread of its own, which commits what has gathered in one transaction (group
 *     commit): a loop full of hosts waits for one fsync, not for hundreds.
 *   - Secrets are replaced here (base/redact.h): in text, in the strings of data, and in blobs, but for blobs that are
 *     before-images: they must be exact. Names (tenant, target, item …) are keys and stay as they are. Text and data are
 *     stored as UTF-8, whatever a host sent. The file's mode is 0600, and 0600 is demanded of one that is there.
 *   - A lock file beside it (PATH.lock, an OFD lock) keeps a second controller out; never a lock on the database itself
 *     (closing any descriptor of it would drop SQLite's own locks). Readers need no lock.
 *   - The format's version is PRAGMA user_version, the file's kind PRAGMA application_id; the migrations are
 *     schema/sql (in the order of their names). A file of a newer version is refused (E_NEWER), an older one is brought
 *     up in one transaction.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define JOURNAL_APPLICATION_ID 0x43555430 /* "CUT0" */

/* Do not renumber; the names are stored. What the columns hold for each kind:
 *
 *   kind        tenant step target item   other
 *   run         -      -    -      -      a run begins: data {command, revision, selection, os_user, ssh_origin, pid,
 *                                         version, concurrency}
 *   run-end     -      -    -      -      text, data {exit, counts…}
 *   state       x      x    x      -      from, to, code, text, attempt, until_ms; the only way a row's state changes
 *   before      x      x    x      -      the facts before the first change: data {key: text | {"blob": sha256, "bytes": n}}
 *   intent      x      x    x      x      agent row `action` is about to be done; data {kind, script, args_sha256 …}
 *   outcome     x      x    x      x      what came of that intent: to = verdict's name, code, text, exit_code, elapsed_ms
 *   debt        x      x    x      x      something is down: `action` is the restore row that brings it up
 *   paid        x      x    x      x      that debt is settled (to = "ok"), or given up to a person (to = "person")
 *   changes     x      x    x      -      the assessment that apply works from: data {changes: […]}
 *   evidence    x      x    x      x      what was seen: text, data, maybe a blob (output of a command). Action "facts": data
 *                                         {fact: text …}, what the row leaves behind for other rows and later runs
 *   identity    x      -    host:N key    a host was let in: item is its host key ("ssh-ed25519 SHA256:…"), action "accepted"
 *                                         where nobody had known that key (then text says so), data {host_key, identity …}
 *   person      x      x    x      -      a confirmation: data {result, by, note, os_user, ssh_origin, evidence {path, sha256,
 *                                         bytes}, sheet {path, sha256, line}}; the evidence itself is its blob
 *   note        any                       anything else a reader should know; these are always there, so that reports need
 *                                         nothing but the state file, and are written again when they change:
 *                 tenant ""  action "procedure": data {name, title {en, ja}, steps: [{step, vendor, phase, title {en, ja}}]}
 *                 tenant T   action "tenant": data {name, wave, language, offset_min, migration_date, migration_ms, change_id,
 *                                             windows: [{start_ms, end_ms}], vendor_period: {…}|null, by: {step: who}, rows: n}
 *                 a row     action "instruction": of what a person does: data {who, en, ja}, with the values filled in
 */
enum journal_kind {
	JOURNAL_RUN,
	JOURNAL_RUN_END,
	JOURNAL_STATE,
	JOURNAL_BEFORE,
	JOURNAL_INTENT,
	JOURNAL_OUTCOME,
	JOURNAL_DEBT,
	JOURNAL_PAID,
	JOURNAL_CHANGES,
	JOURNAL_EVIDENCE,
	JOURNAL_IDENTITY,
	JOURNAL_PERSON,
	JOURNAL_NOTE,
	JOURNAL_KINDS
};

const char *journal_kind_name(enum journal_kind kind);

/* One entry. NULL texts are stored as "". When reading, strings live until the next entry. */
struct journal_entry {
	int64_t seq;	 /* given by the journal */
	int64_t run;	 /* id of the run; 0: outside of any */
	int64_t wall_ms; /* when; given by the caller's clock */
	enum journal_kind kind;
	const char *procedure, *tenant, *step, *target;
	const char *action; /* row of the agent's tables: "write-config" */
	const char *item;
	int attempt;
	const char *from, *to;
	const char *code; /* err_name, or "" */
	const char *text; /* one sentence for people */
	int64_t until_ms; /* 0: none */
	int32_t exit_code;
	int64_t elapsed_ms;
	const char *data;	  /* a JSON object, or "" */
	const char *blob_sha256;  /* of the blob that belongs to it, or "" */
	const char *prev_hash, *hash; /* when reading */
};

/* ---- writing ---------------------------------------------------------------------------------------------------- */

struct journal;

enum journal_open_mode {
	JOURNAL_CREATE,	  /* make it where it is not there */
	JOURNAL_MUST_EXIST, /* E_NOTFOUND otherwise */
};

/* Locks and opens for writing; the callbacks of appends come on `loop`, which the open journal keeps alive. Without a
   loop (NULL) only the _now calls may be used. E_LOCKED (text: who and since when), E_NOTFOUND, E_CORRUPT (not a state
   file, empty, or damaged), E_NEWER, E_PERM (read-only, or others can read it), E_INVAL (a folder, several hard links, a
   network file system), E_EXISTS (not there, but its -wal with entries is), E_NOSPACE, E_IO. */
int journal_open(uv_loop_t *loop, const char *path, enum journal_open_mode mode, struct journal **out, struct err *err);

/* Writes what is queued, closes, unlocks; cb (may be NULL) on the loop. No append may be started any more. */
void journal_close(struct journal *j, void (*cb)(void *arg), void *arg);

/* The same on the spot, for a journal that was opened without a loop. */
void journal_close_now(struct journal *j);

/* One transaction's worth. Entries and blobs are copied before journal_append returns; the struct must live until the
   callback. status 0: durable. Otherwise the journal is *broken* (disk full, I/O error): nothing of the append is stored,
   and every later append fails the same way; the caller must stop causing effects. (After a new start the append may be
   in the file after all, whole: what was written could not be proved to be on the disk, nor not to be.) */
struct journal_append {
	void (*done)(struct journal_append *append, int status, const struct err *err);
	void *arg;
	void *priv;
};

struct journal_blob {
	const void *bytes;
	size_t len;
	bool exact; /* a before-image: not redacted */
};

/* blobs[i] belongs to entries[i] where blobs is not NULL and its bytes are not NULL; the entry's blob_sha256 is set from
   it (after redaction). */
void journal_append(struct journal *j, struct journal_append *append, const struct journal_entry *entries,
		    const struct journal_blob *blobs, size_t n);

/* Stores a blob by itself, before the entry whose data names it; done as for append. */
void journal_put_blobs(struct journal *j, struct journal_append *append, const struct journal_blob *blobs, size_t n);

/* The same on the spot, for programs without a running loop (`confirm`). */
int journal_append_now(struct journal *j, const struct journal_entry *entries, const struct journal_blob *blobs,
		       size_t n, struct err *err);

/* Stores a revision of the inventory (its files), once per sha256; its number. Synchronous: at the start of a command. */
struct journal_file {
	const char *path;
	const void *bytes;
	size_t len;
};
int journal_put_revision(struct journal *j, const char *sha256, const struct journal_file *files, size_t n,
			 int64_t wall_ms, int64_t *revision, struct err *err);

/* A new run's id; its JOURNAL_RUN entry is written by this call. */
int journal_begin_run(struct journal *j, const struct journal_entry *entry, int64_t *run, struct err *err);

struct journal_stats {
	uint64_t appends, entries, commits; /* commits < appends: that is what group commit saves */
	bool broken;
};
void journal_stats(const struct journal *j, struct journal_stats *out);

/* ---- reading (read-only, beside a running controller too) --------------------------------------------------------- */

struct journal_reader;

/* Errors as journal_open, without E_LOCKED. Changes no file but PATH-shm, the index of the log, which is made where it
   is not there. After a crash the newest entries are in PATH-wal: they are read, and left there. */
int journal_reader_open(const char *path, struct journal_reader **out, struct err *err);
void journal_reader_close(struct journal_reader *r);

/* Calls each() for the entries with seq > after, in order; of one tenant where tenant is not NULL (run-level entries come
   then, too, as tenant ""). each() returns 0 to go on; another value stops and is returned. What was there when it began
   is read, in short transactions. each() may call journal_blob, not journal_read. */
int journal_read(struct journal_reader *r, const char *tenant, int64_t after,
		 int (*each)(const struct journal_entry *entry, void *arg), void *arg, struct err *err);

/* A blob's bytes; E_NOTFOUND also when it was purged. */
int journal_blob(struct journal_reader *r, const char *sha256, struct buf *out, struct err *err);

/* The files of a revision (0: the newest). each() gets them in the stored order. E_NOTFOUND. */
int journal_revision(struct journal_reader *r, int64_t revision, int64_t *number, char sha256[SHA256_HEX_MAX],
		     int (*each)(const struct journal_file *file, void *arg), void *arg, struct err *err);

/* Recomputes the chains. E_CORRUPT names the first entry that does not fit. */
int journal_verify(struct journal_reader *r, uint64_t *entries, struct err *err);

/* Who holds the lock: text like "pid 4711 (root), since 2026-12-01T22:00:03+09:00", or E_NOTFOUND when nobody does. */
int journal_lock_holder(const char *path, char *text, size_t size, struct err *err);

/* The control socket beside a state file ("PATH.sock"); the caller frees. */
char *journal_socket_path(const char *path);

#endif
