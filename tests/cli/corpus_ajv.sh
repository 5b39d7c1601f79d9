#!/bin/sh
# The corpus of inventories through a JSON Schema validator (npm: ajv), as the other half of
# tests/unit/inventory/test_corpus.c: what the schema in schema/ says to an editor and what the loader says is the same,
# but for the entries that are marked as the loader's alone. See tests/lib/ajv.sh
# for what it needs.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/ajv.sh"

ajv_or_skip 'schema and loader agree'
ajv_run corpus.mjs "$ajv_root"
out_has 'the validator looked at all files' 'looked at '
looked=$(sed -n 's/^looked at \([0-9]*\) files$/\1/p' "$out")
ok 'it looked at more than 200' test "${looked:-0}" -gt 200
finish
