#!/bin/sh
# What cutover validate says of a bad inventory: every problem on a line of its own, with file, pointer, tenant and host;
# never a secret; exit code 2. (Each single rule: tests/unit/inventory and tests/corpus.) Needs $CUTOVER; leaves nothing
# behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
need_program
root=$(cd "$(dirname "$0")/../.." && pwd)
corpus=$root/tests/corpus

# The whole corpus through the program itself: exit codes and quiet stdout.
for file in "$corpus"/good/*.json; do
	run "$CUTOVER" validate "$file"
	if [ "$status" != 0 ] || [ -s "$out" ]; then
		fail "good/${file##*/}" "$(tap_seen)"
	fi
	count=$((${count:-0} + 1))
done
for file in "$corpus"/bad/*.json; do
	chmod go+r "$corpus/bad/parts/readable.key"
	run "$CUTOVER" validate "$file"
	if [ "$status" != 2 ] || [ -s "$out" ] || ! grep -q "tests/corpus/bad/" "$err"; then
		fail "bad/${file##*/}" "$(tap_seen)"
	fi
	if grep -q hunter22 "$err"; then
		fail "bad/${file##*/}: a secret is repeated" "$(tap_seen)"
	fi
	count=$((count + 1))
done
ok "the corpus has many entries ($count)" test "$count" -gt 150

run_in "$corpus/bad" "$CUTOVER" validate several_at_once.json
status_is 'several problems' 2
err_has 'several problems: a key' \
	'/tenants/0/hosts/0/prot (tenant acme, host sync1): unknown key "prot", did you mean "port"?'
err_has 'several problems: a word' '/tenants/0/language (tenant acme): must be "en" or "ja", not "de"'
err_has 'several problems: a type' '/tenants/0/labels (tenant acme): must be an array, not text'
err_has 'several problems: a key that is missing' '/tenants/0 (tenant acme): the key "migration_date" is missing'
err_has 'several problems: how many' '4 problems'
is 'several problems: a line each' "$(grep -c 'several_at_once.json: /' "$err")" 4

run "$CUTOVER" validate "$corpus/bad/several_at_once.json" --show acme
status_is '--show of a bad inventory' 2
out_is_empty '--show of a bad inventory: nothing on stdout'

# More than two hundred are counted.
{
	printf '{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global", "defaults": { "x": 0'
	i=0
	while [ $i -lt 300 ]; do
		printf ', "unknown%d": 1' $i
		i=$((i + 1))
	done
	printf ' } }\n'
} >"$work/many.json"
run "$CUTOVER" validate "$work/many.json"
status_is 'three hundred problems' 2
err_has 'three hundred problems: the rest is counted' '101 more'
is 'three hundred problems: two hundred lines' "$(grep -c 'many.json: /' "$err")" 200

# A key file that others can read, and the same file once they cannot.
mkdir "$work/keys"
sed -e 's,env:SSH_KEY,file:keys/{tenant},' "$corpus/good/minimal.json" >"$work/keyed.json"
echo 'no key' >"$work/keys/acme"
chmod 640 "$work/keys/acme"
refuses 'a key file that others can read' 'can be read by others (mode 0640); chmod 600 it' "$CUTOVER" validate "$work/keyed.json"
chmod 600 "$work/keys/acme"
run "$CUTOVER" validate "$work/keyed.json"
status_is 'the same after chmod 600' 0
finish
