#!/bin/sh
# cutover validate on the examples that ship with it, and --show against the golden files. Needs $CUTOVER; leaves nothing
# behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
need_program
root=$(cd "$(dirname "$0")/../.." && pwd)
examples=$root/inventory/examples

run "$CUTOVER" validate "$examples/small.json"
status_is 'small.json is valid' 0
err_has 'small.json: counts' '1 tenant, 1 host, 15 steps'
run "$CUTOVER" validate "$examples/full.json"
status_is 'full.json is valid' 0
err_has 'full.json: counts what is included, too' '3 tenants, 4 hosts'
out_is_empty 'full.json: nothing on stdout'

# The machine's own paths stand as "@" in the golden files; columns are as wide as these are long.
plain() { sed -e "s,$root,@,g" -e 's/   */  /g' "$1"; }
for tenant in acme basil cress; do
	run "$CUTOVER" validate "$examples/full.json" --show "$tenant"
	status_is "--show $tenant" 0
	plain "$out" >"$work/shown"
	plain "$root/tests/golden/inventory/show_$tenant.txt" >"$work/golden"
	ok "--show $tenant: as the golden file" diff "$work/golden" "$work/shown"
done

# The same from elsewhere: paths do not hang on the current folder.
run_in / "$CUTOVER" validate "$examples/full.json" --show cress
plain "$out" >"$work/shown"
plain "$root/tests/golden/inventory/show_cress.txt" >"$work/golden"
ok '--show from another folder' diff "$work/golden" "$work/shown"
run_in "$examples/full" "$CUTOVER" validate ../full.json
status_is 'a relative path with ..' 0

# Only what an inventory includes belongs to it.
cp -r "$examples" "$work/examples"
echo '{' >"$work/examples/full/tenants/dill.json"
refuses 'a broken include' 'full/tenants/dill.json: line ' "$CUTOVER" validate "$work/examples/full.json"
mv "$work/examples/full/tenants/dill.json" "$work/examples/full/dill.txt"
run "$CUTOVER" validate "$work/examples/full.json"
status_is 'a file that no pattern matches' 0
finish
