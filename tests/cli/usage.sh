#!/bin/sh
# The command line from outside: usage, exit codes, where the words go. (What it accepts and refuses in detail is
# tests/unit/program/test_opt.c.) Needs $CUTOVER; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
need_program
cd "$work"

run "$CUTOVER"
status_is 'no arguments' 2
err_has 'no arguments: usage on stderr' 'usage: cutover COMMAND'
out_is_empty 'no arguments: nothing on stdout'

for words in help --help -h; do
	run "$CUTOVER" $words
	status_is "$words" 0
	out_has "$words: usage on stdout" 'usage: cutover COMMAND'
	err_is_empty "$words: nothing on stderr"
done
run "$CUTOVER" --version
status_is '--version' 0
ok '--version is one line' grep -qxE 'cutover [0-9]+\.[0-9]+\.[0-9]+' "$out"
run "$CUTOVER" run --help
out_has 'run --help' 'usage: cutover run INVENTORY'

refuses 'an unknown command' "did you mean 'status'?" "$CUTOVER" statsu
refuses 'a command of a later version' "'approve' is not in this version" "$CUTOVER" approve
refuses 'an unknown option' 'did you mean --tenant?' "$CUTOVER" run x.json --tennant acme
refuses 'an option of a later version' 'not in this version' "$CUTOVER" run x.json --max-failed 3
refuses 'a missing argument' 'needs INVENTORY' "$CUTOVER" validate
refuses 'a missing required option' 'needs --by NAME' "$CUTOVER" confirm acme mx --result ok
refuses 'an option before the command' 'behind the command' "$CUTOVER" --state x.db status
refuses 'several formats to stdout' 'add --out DIR' "$CUTOVER" report --state x.db --format json,csv
run "$CUTOVER" statsu
err_has 'and what to do next' 'cutover help'

# Nothing was made by any of it.
is 'no file was made' "$(ls)" ''

# Colour is for terminals: neither a pipe nor a file gets an escape.
run env TERM=xterm "$CUTOVER" statsu
is 'no escape sequences in a file' "$(tr -dc '\033' <"$err")" ''

# A stdout that is full or closed is an error that is said; a reader that went away is none.
if [ -c /dev/full ]; then
	status=0
	"$CUTOVER" help >/dev/full 2>"$err" </dev/null || status=$?
	is 'stdout on a full disk: exit code' "$status" 2
	ok 'stdout on a full disk: said' grep -q 'cannot be written' "$err"
fi
status=0
"$CUTOVER" help >&- 2>"$err" </dev/null || status=$?
is 'stdout closed: exit code' "$status" 2
ok 'stdout closed: said' grep -q 'cannot be written' "$err"
status=0
"$CUTOVER" help >"$out" 2>&- </dev/null || status=$?
is 'stderr closed' "$status" 0
# A pipe without a reader: the reader's end is opened and closed again before the program writes.
mkfifo fifo
status=0
(
	# shellcheck disable=SC2094
	exec 3<>fifo 4>fifo 3<&-
	"$CUTOVER" help >&4 2>"$err" </dev/null
) || status=$?
is 'a reader that went away: exit code' "$status" 0
err_is_empty 'a reader that went away: nothing to say'
finish
