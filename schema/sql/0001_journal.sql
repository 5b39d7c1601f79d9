-- The state file, version 1: the journal, the before-images and the revisions of the inventory.
--
-- Migrations are append-only: a file that was released is never edited, a change is the next number. They are run in
-- the order of their numbers, all that are missing in one transaction; PRAGMA user_version is the last number done, PRAGMA
-- application_id says that it is a state file (orchestrator/journal/migrate.c sets both).
--
-- What one reads with other tools is safe to read while the program runs. Do not write: the program holds no lock that
-- would keep you from it, but entries that were not written by it break the chain of hashes, and that is found.

-- What was done, by whom, when and with what outcome. Rows are only added.
CREATE TABLE entry (
	seq         INTEGER PRIMARY KEY,  -- 1, 2, 3 … without gaps: a missing number is a deleted entry
	run         INTEGER NOT NULL,     -- the run of the program that wrote it (the entry of kind run has the same); 0: outside of any
	wall_ms     INTEGER NOT NULL,     -- when: milliseconds since 1970-01-01 UTC, of the controller's clock
	kind        TEXT    NOT NULL,     -- run, run-end, state, before, intent, outcome, debt, paid, changes, evidence, identity, person, note
	procedure   TEXT    NOT NULL,     -- "hes-1-to-2"
	tenant      TEXT    NOT NULL,     -- its id in the inventory; "" for what belongs to the run
	step        TEXT    NOT NULL,     -- of the procedure: "sync-client"
	target      TEXT    NOT NULL,     -- "host:sync1", "host:sync1/KEY", "domain:example.com", "tenant"
	action      TEXT    NOT NULL,     -- row of the agent's tables: "write-config"
	item        TEXT    NOT NULL,     -- which one, where an action is done to several: a service, a server
	attempt     INTEGER NOT NULL,     -- 1, 2, 3 …
	from_state  TEXT    NOT NULL,     -- kind state: the state that is left
	to_state    TEXT    NOT NULL,     -- kind state: the state that is entered; outcome and paid: the verdict ("ok", "fail", …)
	code        TEXT    NOT NULL,     -- class of the failure: "timeout", "host-key" …; "" where there is none
	text        TEXT    NOT NULL,     -- one sentence for people; secrets are replaced by [secret]
	until_ms    INTEGER NOT NULL,     -- what it waits for, as wall_ms; 0: nothing
	exit_code   INTEGER NOT NULL,     -- of a command, 32 bit
	elapsed_ms  INTEGER NOT NULL,     -- how long it took
	data        TEXT    NOT NULL,     -- a JSON object, its keys depend on the kind; secrets are replaced inside its strings
	blob_sha256 TEXT    NOT NULL,     -- of the blob that belongs to it; stays when the blob is purged
	-- SHA-256 as 64 lower-case hex digits. prev_hash is `hash` of the entry before this one with the same tenant, "" for
	-- the tenant's first. hash is over all columns before it, from seq to prev_hash in this order, each as a netstring:
	-- its length in bytes as a decimal number, ':', the bytes, ','. Numbers are written as decimal numbers.
	-- So ('4', run 0, …) begins with "1:4,1:0,".
	prev_hash   TEXT    NOT NULL CHECK (length(prev_hash) IN (0, 64)),  -- of the tenant's entry before this one
	hash        TEXT    NOT NULL CHECK (length(hash) = 64)              -- of this entry
) STRICT;

-- One tenant among ten thousand, in order: an index on a column also holds seq.
CREATE INDEX entry_tenant ON entry (tenant);
-- The runs, which are derived from their entries.
CREATE INDEX entry_run ON entry (run) WHERE kind IN ('run', 'run-end');

CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
-- INSERT OR REPLACE would delete without asking the trigger above; and a gap would look like a deletion.
CREATE TRIGGER entry_in_order BEFORE INSERT ON entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
BEGIN SELECT RAISE(ABORT, 'entries are only added at the end'); END;

-- Bytes that belong to entries: before-images, outputs of commands. They can be purged when their time is over
-- (DELETE); their hashes stay in the entries.
CREATE TABLE blob (
	id          INTEGER PRIMARY KEY,  -- without meaning
	sha256      TEXT    NOT NULL UNIQUE CHECK (length(sha256) = 64),  -- of bytes, 64 lower-case hex digits
	exact       INTEGER NOT NULL,     -- 1: a before-image, byte for byte; 0: secrets in it are replaced
	bytes       BLOB    NOT NULL      -- what sha256 is of
) STRICT;

CREATE TRIGGER blob_no_update BEFORE UPDATE ON blob
BEGIN SELECT RAISE(ABORT, 'blobs are never changed'); END;

-- The inventory as it was when a run began, once for each content.
CREATE TABLE revision (
	number      INTEGER PRIMARY KEY,  -- 1, 2, 3 …
	sha256      TEXT    NOT NULL UNIQUE CHECK (length(sha256) = 64),  -- of its whole content, as the loader forms it
	wall_ms     INTEGER NOT NULL,     -- when it was seen first
	entry       INTEGER NOT NULL REFERENCES entry (seq) DEFERRABLE INITIALLY DEFERRED  -- the note in the journal that holds the hash of its files
) STRICT;

CREATE TABLE revision_file (
	revision    INTEGER NOT NULL REFERENCES revision (number),  -- it belongs to
	place       INTEGER NOT NULL,     -- 0, 1, 2 …: the order they were read in; 0 is the file that was named
	path        TEXT    NOT NULL,     -- as the loader names it
	bytes       BLOB    NOT NULL,     -- as it is: an inventory holds references to secrets, never secrets
	PRIMARY KEY (revision, place)
) STRICT;

CREATE TRIGGER revision_no_update BEFORE UPDATE ON revision
BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
CREATE TRIGGER revision_no_delete BEFORE DELETE ON revision
BEGIN SELECT RAISE(ABORT, 'revisions are never deleted'); END;
CREATE TRIGGER revision_in_order BEFORE INSERT ON revision
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM revision)
BEGIN SELECT RAISE(ABORT, 'revisions are only added at the end'); END;
CREATE TRIGGER revision_file_no_update BEFORE UPDATE ON revision_file
BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
CREATE TRIGGER revision_file_no_delete BEFORE DELETE ON revision_file
BEGIN SELECT RAISE(ABORT, 'revisions are never deleted'); END;
CREATE TRIGGER revision_file_no_replace BEFORE INSERT ON revision_file
WHEN EXISTS (SELECT 1 FROM revision_file WHERE revision = NEW.revision AND place = NEW.place)
BEGIN SELECT RAISE(ABORT, 'revisions are never changed'); END;
