#!/bin/sh
# Beside a controller that runs (all its work lies in 2099, and it waits for it): who else may do what, confirm by its
# control socket, how it ends, and what is left when it was killed. Needs $CUTOVER, perl for one part; ends what it
# started, leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
cd "$work"
inventory_waiting fleet.json

controller='' watcher='' silent=''
cleanup() {
	for pid in $controller $watcher $silent; do
		kill -9 "$pid" 2>/dev/null || true
	done
}
start() {
	"$CUTOVER" run fleet.json --yes --wait >run.out 2>run.err </dev/null &
	controller=$!
	wait_until 'the controller listens' 20 test -S cutover.db.sock
}

start
refuse_second() {
	run "$@"
	status_is "a second $2: exit code" 6
	err_has "a second $2: names the first" "$controller"
}
refuse_second "$CUTOVER" run fleet.json --yes
refuse_second "$CUTOVER" resume --yes
refuse_second "$CUTOVER" rollback acme --yes
run "$CUTOVER" status
status_is 'status beside it' 0
run "$CUTOVER" plan fleet.json --tenant basil
status_is 'plan of what has nothing to look at, beside it' 0
wait_until 'basil waits for a person' 10 sh -c "'$CUTOVER' status basil | grep -q needs_person"

"$CUTOVER" status --watch >watch.out 2>watch.err </dev/null &
watcher=$!
wait_until 'status --watch has said something' 10 test -s watch.out
ok 'status --watch goes on' kill -0 "$watcher"

printf 'a picture' >proof.png
run "$CUTOVER" confirm basil firewall --result ok --by 'Ann Sato' --evidence proof.png
status_is 'confirm by the controller' 0
err_has 'confirm by the controller: says what became of it' 'confirmed, was needs_person'
run "$CUTOVER" report basil --format json
out_has 'confirm by the controller: the evidence by its hash' "$(sha256sum proof.png | cut -d' ' -f1)"
wait_until 'status --watch saw it' 10 grep -q confirmed watch.out
refuses 'confirm that the controller refuses' 'confirmed already' "$CUTOVER" confirm basil firewall --result ok --by Ann
ok 'the controller is still there' kill -0 "$controller"

kill -TERM "$controller"
status=0
wait "$controller" || status=$?
is 'stopped by the operator: exit code' "$status" 4
status=0
wait "$watcher" || status=$?
is 'status --watch ended with it' "$status" 0
controller='' watcher=''
not_ok 'the socket is gone' test -e cutover.db.sock
run "$CUTOVER" report --format json
out_has 'what was confirmed stays' 'Ann Sato'

# Killed: the socket is left, but nobody listens and nobody holds the lock.
start
kill -9 "$controller"
wait "$controller" 2>/dev/null || true
controller=''
ok 'a killed controller leaves its socket' test -S cutover.db.sock
run "$CUTOVER" confirm acme sync-client --target host:sync1 --result not-needed --by Bob
status_is 'confirm after it: by itself' 0
run "$CUTOVER" status
status_is 'status after it' 0

# A socket that takes the word and says nothing: five seconds, then it is said that nothing is known.
if command -v perl >/dev/null; then
	rm -f cutover.db.sock
	perl -MIO::Socket::UNIX -e '
		my $s = IO::Socket::UNIX->new(Local => "cutover.db.sock", Listen => 5) or die; my @all;
		while (my $c = $s->accept) { push @all, $c }' &
	silent=$!
	wait_until 'a silent socket' 10 test -S cutover.db.sock
	run "$CUTOVER" confirm acme sync-client --target host:sync1 --result ok --by Ann
	status_is 'a controller that does not answer: exit code' 6
	err_has 'a controller that does not answer: said' 'did not answer within 5 s'
	kill "$silent"
	wait "$silent" 2>/dev/null || true
	silent=''
else
	skip 'a controller that does not answer' 'perl is not here'
fi

# Deeper than a socket's address has bytes: the controller is reached all the same. A file name that long is refused.
deep=$(printf '%090d/%090d' 1 2)
mkdir -p "$deep"
"$CUTOVER" run fleet.json --yes --wait --state "$deep/cutover.db" >run.out 2>run.err </dev/null &
controller=$!
wait_until 'a long path: the controller listens' 20 test -S "$deep/cutover.db.sock"
wait_until 'a long path: basil waits for a person' 10 \
	sh -c "'$CUTOVER' status basil --state '$deep/cutover.db' | grep -q needs_person"
run "$CUTOVER" confirm basil firewall --result ok --by Ann --state "$deep/cutover.db"
status_is 'a long path: confirm' 0
kill -TERM "$controller"
wait "$controller" || true
controller=''
not_ok 'a long path: the socket is gone' test -e "$deep/cutover.db.sock"
refuses 'a long name' 'give it a shorter one' "$CUTOVER" run fleet.json --yes --state "$(printf '%0120d' 3).db"

# Without a terminal nothing is begun that was not agreed to.
refuses 'run without a terminal and without --yes' '--yes' "$CUTOVER" run fleet.json
refuses 'rollback of nothing' 'TENANT' "$CUTOVER" rollback --yes
finish
