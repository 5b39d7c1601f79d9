#!/bin/sh
# The corpus of inventories through a JSON Schema validator (npm: ajv), as the other half of
# tests/unit/inventory/test_corpus.c: what the schema in schema/ says to an editor and what the loader says is the same,
# but for the entries that are marked as the loader's alone. Needs node and npm, and the npm registry for the first run;
# the packages, pinned in tests/cli/ajv, are kept in build/npm/.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
npm=$root/build/npm/ajv

# The lock file's hash names what is installed: a changed one is installed anew.
installed() {
	[ -f "$npm/.installed" ] && cmp -s "$root/tests/cli/ajv/package-lock.json" "$npm/.installed"
}

install_packages() {
	mkdir -p "$npm"
	cp "$root/tests/cli/ajv/package.json" "$root/tests/cli/ajv/package-lock.json" "$npm/"
	(cd "$npm" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$work/npm.log" 2>&1 || return 1
	cp "$root/tests/cli/ajv/package-lock.json" "$npm/.installed"
}

for tool in node npm; do
	if ! command -v "$tool" >/dev/null; then
		skip 'schema and loader agree' "there is no $tool (deploy/deps.sh --tests installs it)"
		finish
	fi
done
if ! installed && ! install_packages; then
	skip 'schema and loader agree' "npm cannot install ajv: $(tail -n 3 "$work/npm.log" | tr '\n' ' ')"
	finish
fi

run sh -c "cd '$npm' && node '$root/tests/cli/ajv/corpus.mjs' '$root'"
status_is 'the validator ran' 0
out_has 'the validator looked at all files' 'looked at '
while IFS= read -r line; do
	case $line in
	'ok '*) pass "${line#ok }" ;;
	'not ok '*) fail "${line#not ok }" ;;
	esac
done <"$out"
looked=$(sed -n 's/^looked at \([0-9]*\) files$/\1/p' "$out")
ok 'it looked at more than 200' test "${looked:-0}" -gt 200
finish
