#!/bin/sh
# tests/lint/switches.sh [ROOT]
#
# A switch over an enum names every case and has no `default:`, so that the compiler (-Wswitch-enum) names each place
# that a new state or code must be thought of. A switch over something else may have one; its line says over what:
# `default: /* any other character */`. Leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

root=${1:-$(dirname "$0")/../..}

# grep_all ROOT OPTION PATTERN: over the C files, none found is no error.
grep_all() {
	(cd "$1" && find orchestrator agents inventory schema tests -name '*.[ch]' -type f -exec grep "$2" -e "$3" {} +) || true
}

defaults() {
	grep_all "$1" -nE '^[[:space:]]*default[[:space:]]*:' | grep -v 'default: /\*' | sort
}

tree=$work/tree
mkdir -p "$tree/orchestrator" "$tree/agents" "$tree/inventory" "$tree/schema" "$tree/tests"
printf '\tdefault:\n' >"$tree/schema/a.c"
printf '\tdefault: /* any other character */\n' >"$tree/schema/b.c"
is 'finds a default, and allows one that says why' "$(defaults "$tree" | cut -d: -f1)" schema/a.c

is 'no default in a switch over an enum' "$(defaults "$root")" ''
count=$(grep_all "$root" -lE '^[[:space:]]*switch \(' | wc -l)
echo "looked at $count files with a switch"
ok 'it looked at switches' test "$count" -ge 5
finish
