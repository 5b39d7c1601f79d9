#!/bin/sh
# Inventories that are no inventories: each is refused with exit code 2, the file's name and why, quickly, and nothing is
# made. (What is wrong inside an inventory is tests/unit/inventory and the corpus.) Needs $CUTOVER; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/inventory.sh"
need_program
cd "$work"

# refused NAME TEXT FILE: by validate, and by plan and run before they do anything.
refused() {
	refuses "$1" "$2" "$CUTOVER" validate "$3"
	err_has "$1: names the file" "$(basename "$3")"
	run "$CUTOVER" plan "$3" --state "$work/s.db"
	status_is "$1: plan" 2
	run "$CUTOVER" run "$3" --yes --state "$work/s.db"
	status_is "$1: run" 2
	not_ok "$1: no state file was made" test -e "$work/s.db"
}

refused 'a file that is not there' 'No such file' nowhere.json
mkdir folder
refused 'a folder' 'is no regular file' folder
mkfifo pipe
refused 'a FIFO: it is not waited for' 'is no regular file' pipe
: >empty.json
refused 'an empty file' 'line 1' empty.json
printf '{"inventory": 1,\n  "tenants": [ }' >syntax.json
refused 'a syntax error' 'line 2 column' syntax.json
printf '{"inventory": 1,\n "inventory": 1}' >twice.json
refused 'a key twice' 'twice.json: line 2' twice.json
printf '{"inventory": 1, "x-a": "\377"}' >bytes.json
refused 'text that is not UTF-8' 'not UTF-8' bytes.json
printf '{"inventory": 1, "x-a": "a\000b"}' >nul.json
refused 'a NUL byte' 'nul.json' nul.json
awk 'BEGIN { printf "{\"x-a\":"; for (i = 0; i < 100000; i++) printf "["; }' >deep.json
refused 'a hundred thousand levels' 'deep.json' deep.json
printf '[1]' >array.json
refused 'no object' 'array.json' array.json

# A gigabyte is seen from its size; the file has no blocks.
truncate -s 1G huge.json
TAP_TIMEOUT_S=5 refused 'one gigabyte' 'huge.json' huge.json

if [ "$(id -u)" = 0 ]; then
	mkdir as_nobody
	echo '{}' >as_nobody/secret.json
	chmod 600 as_nobody/secret.json
	chmod 755 . as_nobody
	if command -v setpriv >/dev/null; then
		refuses 'a file that may not be read' 'Permission denied' setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$CUTOVER" validate "$work/as_nobody/secret.json"
	else
		skip 'a file that may not be read' 'setpriv (util-linux) is not here'
	fi
else
	echo '{}' >secret.json
	chmod 0 secret.json
	refuses 'a file that may not be read' 'Permission denied' "$CUTOVER" validate secret.json
fi

# And a good one.
inventory_waiting good.json
run "$CUTOVER" validate good.json
status_is 'a good one' 0
err_has 'a good one: counts' '2 tenants, 1 host'
err_has 'a good one: says what was not done' 'no host was contacted'
err_has 'a good one: names what comes next' 'cutover plan good.json'
out_is_empty 'a good one: nothing on stdout'
cp good.json "it's good.json"
run "$CUTOVER" validate "it's good.json"
err_has 'the next command can be pasted' "cutover plan 'it'\''s good.json'"
run "$CUTOVER" validate good.json --show acme
status_is '--show' 0
out_has '--show: on stdout' 'acme.hes2.example'
refuses '--show of an unknown tenant' 'did you mean "acme"' "$CUTOVER" validate good.json --show amce

# Colours are for terminals, and there they can be turned off.
if command -v script >/dev/null; then
	TERM=xterm script -qec "'$CUTOVER' validate good.json" /dev/null >term.txt </dev/null
	ok 'colour on a terminal' grep -q "$(printf '\033\\[32m')" term.txt
	TERM=xterm script -qec "'$CUTOVER' validate good.json --no-color" /dev/null >term.txt </dev/null
	not_ok '--no-color' grep -q "$(printf '\033')" term.txt
	TERM=xterm NO_COLOR=1 script -qec "'$CUTOVER' validate good.json" /dev/null >term.txt </dev/null
	not_ok 'NO_COLOR' grep -q "$(printf '\033')" term.txt
else
	skip 'colour' 'script (bsdutils) is not here'
fi
finish
