#!/bin/sh
# JSON reports of made-up state files, hostile ones among them, through a JSON Schema validator (npm: ajv): what the
# program writes is what schema/report.v1.schema.json says. Needs node and npm, and the npm registry for the first run;
# the packages, pinned in tests/cli/ajv, are those of corpus_ajv.sh in build/npm/, or its own beside them when that test is
# installing them at this moment.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
npm=$root/build/npm/ajv

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
		skip 'reports are what the schema says' "there is no $tool (deploy/deps.sh --tests installs it)"
		finish
	fi
done
installed || npm=$root/build/npm/report-ajv
if ! installed && ! install_packages; then
	skip 'reports are what the schema says' "npm cannot install ajv: $(tail -n 3 "$work/npm.log" | tr '\n' ' ')"
	finish
fi
if [ ! -x "${CUTOVER_BUILD-}/tests/unit_report" ]; then
	skip 'reports are what the schema says' "CUTOVER_BUILD names no build with tests/unit_report in it"
	finish
fi

mkdir "$work/pages"
ok 'reports are made' env REPORT_PAGES="$work/pages" "$CUTOVER_BUILD/tests/unit_report" pages
run sh -c "cd '$npm' && node '$root/tests/cli/ajv/report.mjs' '$root/schema/report.v1.schema.json' '$work'/pages/*.json"
status_is 'the validator ran' 0
while IFS= read -r line; do
	case $line in
	'ok '*) pass "${line#ok }" ;;
	'not ok '*) fail "${line#not ok }" ;;
	esac
done <"$out"
ok 'it looked at reports' test "$(grep -c 'is valid$' "$out")" -ge 5
finish
