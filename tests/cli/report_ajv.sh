#!/bin/sh
# JSON reports of made-up state files, hostile ones among them, through a JSON Schema validator: what the program writes
# is what schema/report.v1.schema.json says; so are their lists of todo. See tests/lib/ajv.sh for what it needs.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ajv.sh"

ajv_or_skip 'reports are what the schema says'
if [ ! -x "${CUTOVER_BUILD-}/tests/unit_report" ]; then
	skip 'reports are what the schema says' "CUTOVER_BUILD names no build with tests/unit_report in it"
	finish
fi
mkdir "$work/pages"
ok 'reports are made' env REPORT_PAGES="$work/pages" "$CUTOVER_BUILD/tests/unit_report" pages
ajv_run report.mjs "$ajv_root/schema/report.v1.schema.json" "$work"/pages/*.json
ok 'it looked at reports' test "$(grep -c 'is valid$' "$out")" -ge 5
ajv_run lines.mjs "$ajv_root/schema/todo.v1.schema.json" "$work"/pages/*.todo
ok 'it looked at lists of todo' test "$(grep -c 'is valid$' "$out")" -ge 5
finish
