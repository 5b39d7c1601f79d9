#!/bin/sh
# What the program writes for machines while it works on hosts (the fleet server, three of them, one drifted), through a
# JSON Schema validator: the plans of `plan --out`, the lines of `run --events`, the report.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/fleet.sh"
. "$(dirname "$0")/../lib/ajv.sh"
need_program
cleanup() { fleet_down; }

if ! fleet_possible; then
	skip 'formats for machines' 'needs root and mount namespaces'
	finish
fi
ajv_or_skip 'formats for machines'
fleet_up 127.42.0.1 3
fleet_inventory "$work/inv.json"
sed -i 's/us\.imhs-ws\.trendmicro\.com/proxy.customer.example/' "$fleet_dir/hosts/127.42.0.3/root/opt/imhs-ws-clinet/imhs-config.rb"

run "$CUTOVER" plan "$work/inv.json" --out "$work/plan"
status_is 'plan: one has drifted' 1
cp -r "$work/plan" "$work/first"
run "$CUTOVER" plan "$work/inv.json" --out "$work/plan"
ok 'the same looks give the same bytes' diff -r "$work/first" "$work/plan"
is 'a plan holds the changed line' "$(jq -r '.rows[].assessment.changes[]?.new_line' "$work/plan/t1.json")" \
	"ROOT_URI = 'https://t1.hes2.example/imhs/v1.0/en'"
not_ok 'and no line around it' grep -r made-up "$work/plan"
is 'nobody else can read it' "$(stat -c %a "$work/plan/t1.json")" 600
ajv_run lines.mjs "$ajv_root/schema/plan.v1.schema.json" "$work"/plan/*.json

run "$CUTOVER" run "$work/inv.json" --state "$work/cutover.db" --yes --events "$work/events.ndjson"
status_is 'run: one has drifted' 1
ajv_run lines.mjs "$ajv_root/schema/event.v1.schema.json" "$work/events.ndjson"
is 'the events say what became of each' \
	"$(jq -r 'select(.kind == "state" and .step == "sync-client" and (.to == "verified" or .to == "drift")) | .tenant + " " + .to' \
		"$work/events.ndjson" | sort | tr '\n' ',')" 't1 verified,t2 verified,t3 drift,'
run "$CUTOVER" report --state "$work/cutover.db" --format json --out "$work/report"
status_is 'report' 0
ajv_run lines.mjs "$ajv_root/schema/report.v1.schema.json" "$work/report/report.json"
finish
