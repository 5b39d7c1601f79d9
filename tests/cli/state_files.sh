#!/bin/sh
# State files that are none, or cannot be used: each command that needs one ends with exit code 2 and says why, and
# nothing is made or changed. Needs $CUTOVER and sqlite3; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
cd "$work"
umask 077
inventory_waiting fleet.json

# each TEXT FILE: every command that reads or needs a state file, with this one.
each() {
	tap_each=$1
	for command in status 'why acme' report resume 'rollback acme' 'confirm acme sync-client --target host:sync1 --result ok --by Ann'; do
		# Unquoted: words.
		# shellcheck disable=SC2086
		refuses "$3: ${command%% *}" "$tap_each" "$CUTOVER" $command --state "$2"
	done
}
also_run() {
	refuses "$3: run" "$1" "$CUTOVER" run fleet.json --yes --state "$2"
}

# Not there: it is not made.
each 'there is no state file' absent.db 'no file'
is 'no file: none was made' "$(ls)" 'fleet.json
key'
run env CUTOVER_STATE=elsewhere.db "$CUTOVER" status
err_has 'the file of CUTOVER_STATE is meant' elsewhere.db

# A good one, to be damaged in copies. All of it waits, so a run ends at once.
run "$CUTOVER" run fleet.json --yes
status_is 'a run that has to wait' 5
ok 'the state file lies beside the inventory' test -s cutover.db
is 'the state file is for its owner only' "$(stat -c %a cutover.db)" 600
run "$CUTOVER" status
status_is 'status' 0
out_has 'status: the tenants' acme
ok 'all of it is in the file, its log is empty' test ! -s cutover.db-wal

awk 'BEGIN { for (i = 0; i < 100; i++) print "This is a note and no database, though it is as long as one." }' >text.db
chmod 600 text.db
cp text.db text.copy
each 'not a database' text.db 'a text file'
also_run 'not a database' text.db 'a text file'
ok 'a text file: untouched' cmp -s text.db text.copy
: >empty.db
each 'is empty' empty.db 'an empty file'
also_run 'is empty' empty.db 'an empty file'
mkdir folder.db
each 'is a folder' folder.db 'a folder'
mkfifo pipe.db
each 'no regular file' pipe.db 'a FIFO: it is not waited for'

if command -v sqlite3 >/dev/null; then
	sqlite3 other.db 'PRAGMA application_id = 7; CREATE TABLE t (a)'
	each 'of another program' other.db 'another program'\''s database'
	also_run 'of another program' other.db 'another program'\''s database'
	cp cutover.db newer.db
	sqlite3 newer.db 'PRAGMA user_version = 9999' >/dev/null
	chmod 600 newer.db
	each 'newer' newer.db 'a newer version'
	also_run 'newer' newer.db 'a newer version'
	is 'a newer version: untouched' "$(sqlite3 newer.db 'PRAGMA user_version')" 9999
else
	skip 'files of other versions' 'sqlite3 is not here (deploy/deps.sh --tests installs it)'
fi

cp cutover.db cut.db
truncate -s 4096 cut.db
refuses 'a file that was cut' 'malformed' "$CUTOVER" status --state cut.db
cp cutover.db open.db
chmod 644 open.db
each 'chmod 600' open.db 'a file that others can read'
ln cutover.db second.db
refuses 'a second name of it' 'hard link' "$CUTOVER" status --state second.db
rm second.db

# Root may write everything, so the one who may not is somebody else.
as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir theirs
	# Where the program was built others may not look.
	cp "$CUTOVER" theirs/cutover
	cp cutover.db theirs/read-only.db
	cp fleet.json key theirs
	chmod 400 theirs/read-only.db
	chmod 644 theirs/fleet.json
	chown -R 65534:65534 theirs
	chmod 711 .
	run $as_nobody theirs/cutover run theirs/fleet.json --yes --state theirs/read-only.db
	status_is 'a read-only file: run' 2
	err_has 'a read-only file: says why' 'Permission denied'
	run $as_nobody theirs/cutover run theirs/fleet.json --yes --state "$work/new.db"
	status_is 'a folder that cannot be written: run' 2
	err_has 'a folder that cannot be written: says why' 'Permission denied'
	run $as_nobody theirs/cutover status --state "$work/cutover.db"
	status_is 'a file of somebody else' 2
else
	skip 'a read-only file' 'it needs root and setpriv'
fi

# A full disk: a file system of its own, filled to the last block, in a mount namespace that goes with the command.
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir small
	cat >full.sh <<-'SH'
		mount -t tmpfs -o size=1m none small || exit 99
		cat /dev/zero >small/filler 2>/dev/null
		"$CUTOVER" run fleet.json --yes --state small/new.db
		code=$?
		# How much it needs depends on how its entries are gathered: somewhere here it ends in the middle.
		for kib in 860 880 900 910; do
			truncate -s ${kib}k small/filler
			"$CUTOVER" run fleet.json --yes --state small/$kib.db >half 2>&1
			grep -c 'the journal cannot be written' half
			rm small/$kib.db*
		done >counts
		rm small/filler
		"$CUTOVER" run fleet.json --yes --state small/new.db || again=$?
		echo "first $code, then ${again-0}"
	SH
	run env CUTOVER="$CUTOVER" unshare -m sh full.sh
	if [ "$status" = 99 ]; then
		skip 'a full disk' 'no file system can be mounted here'
	else
		is 'a disk that is full in the middle: it is said once' "$(sort -n counts | tail -n 1)" 1
		out_has 'a full disk: exit code 2; with room again it goes on' 'first 2, then 5'
		err_has 'a full disk: says why' 'No space left on device'
	fi
else
	skip 'a full disk' 'it needs root and unshare -m'
fi

# None of it touched the good one.
run "$CUTOVER" status
status_is 'the good one is still good' 0
finish
