#!/bin/sh
# What is different on a terminal: the question before the first change, and status --watch that is drawn again and puts
# the terminal right at its end. The terminal is that of script(1), which logs what came. Needs $CUTOVER and script; ends
# what it started, leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
if ! command -v script >/dev/null; then
	skip 'the terminal' 'script (bsdutils) is not here'
	finish
fi
cd "$work"
inventory_waiting fleet.json
export TERM=xterm CUTOVER
controller='' watcher=''
cleanup() {
	for pid in $controller $watcher; do
		kill -9 "$pid" 2>/dev/null || true
	done
}
esc=$(printf '\033')

# ask ANSWER COMMAND: types it once the question stands there; what the terminal showed is in shown, the code in $status.
ask() {
	rm -f shown
	mkfifo typed
	status=0
	script -qefc "$2" shown <typed >/dev/null 2>&1 &
	watcher=$!
	exec 3>typed
	wait_until "asked: $1" 20 grep -qF '[y/N]' shown
	printf '%s\n' "$1" >&3
	exec 3>&-
	wait "$watcher" || status=$?
	watcher=''
	rm typed
}
ask n '"$CUTOVER" run fleet.json'
is 'run, answered with n: exit code' "$status" 4
ok 'run: the question says how many' grep -q '2 tenants' shown
not_ok 'run, answered with n: no state file was made' test -e cutover.db
ask y '"$CUTOVER" run fleet.json'
is 'run, answered with y: exit code' "$status" 5
ok 'run, answered with y: it ran' test -s cutover.db
ok 'the cursor is shown again' sh -c "tail -c 4000 shown | tr -d '\r' | grep -qF '${esc}[?25h' || ! grep -qF '${esc}[?25l' shown"

"$CUTOVER" run fleet.json --yes --wait >run.out 2>&1 </dev/null &
controller=$!
wait_until 'the controller listens' 20 test -S cutover.db.sock
rm shown
script -qefc '"$CUTOVER" status --watch' shown </dev/null >/dev/null 2>&1 &
watcher=$!
wait_until 'status --watch: the picture is drawn' 20 grep -qF "${esc}[K" shown
wait_until 'status --watch: and again, over itself' 20 grep -qE "${esc}\[[0-9]+A" shown
ok 'status --watch: the cursor is hidden' grep -qF "${esc}[?25l" shown
kill -TERM "$controller"
wait "$controller" || true
controller=''
status=0
wait "$watcher" || status=$?
watcher=''
is 'status --watch: ended with the run' "$status" 0
ok 'status --watch: the cursor is shown again' sh -c "tail -n 30 shown | grep -qF '${esc}[?25h'"
ok 'status --watch: says why it ended' grep -q 'the run has ended' shown
finish
