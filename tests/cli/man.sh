#!/bin/bash
# The man page, the usage and the program's tables say the same: each command with its arguments, each option with its
# argument, each exit code, and nothing else. Needs $CUTOVER; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
need_program

root=$(cd "$(dirname "$0")/../.." && pwd)
page=$root/deploy/man/cutover.1

"$CUTOVER" --dump-options >"$work/tables"
# The page as plain words: "\-" is "-", "\fR\|.\|.\|." is "…", fonts are left out.
sed 's/\\|\.\\|\.\\|\./…/g; s/\\f[BIRP]//g; s/\\-/-/g; s/\\|//g' "$page" >"$work/page"

# What is described: lines behind .TP (".BI --show \" TENANT\"", ".BR -y \", \" --yes") as "--show TENANT".
described() {
	awk '/^\.TP/ { getline; if ($0 ~ /--/) print }' "$work/page" | sed 's/^\.[A-Z]* //; s/"//g; s/-. *, *//; s/  */ /g' | sort -u
}
in_tables() {
	sed -n 's/^option [^ ]* //p' "$work/tables" | sed 's/ -[a-zA-Z]\( \|$\)/\1/; s/ *$//' | sort -u
}

is 'the page has the commands of the table, with their arguments' \
	"$(sed -n 's/^\.SS cutover //p' "$work/page")" "$(sed -n 's/^command //p' "$work/tables")"
is 'the page describes the options of the table, with their arguments' "$(described)" "$(in_tables)"
is 'the page names no option that is not in the table' \
	"$(grep -oE -e '--[a-z][a-z-]*' "$work/page" | sort -u)" "$(in_tables | cut -d' ' -f1)"
is 'the page has the exit codes of exit.h' \
	"$(sed -n '/^\.SH EXIT/,/^\.SH ENV/s/^\.B \([0-9][0-9]*\)$/\1/p' "$work/page")" \
	"$(sed -n 's/^\tEXIT_[A-Z]* = \([0-9]*\),.*/\1/p' "$root/orchestrator/exit.h")"
ok 'the page is of this version' grep -qF "\"$("$CUTOVER" --version)\"" "$page"

# Of each command: what `help` shows is what the table says.
while read -r command; do
	run "$CUTOVER" help "$command"
	status_is "help $command" 0
	is "help $command: its options" "$(grep -oE '^  (-[a-zA-Z], )?--[a-z-]+' "$out" | grep -oE -e '--.*' | sort)" \
		"$(sed -n "s/^option $command \(--[a-z-]*\).*/\1/p" "$work/tables" | sort)"
done < <(sed -n 's/^command \([a-z]*\).*/\1/p' "$work/tables")
run "$CUTOVER" help
is 'help: the commands of the table' "$(sed -n 's/^  \([a-z][a-z]*\).*/\1/p' "$out")" \
	"$(sed -n 's/^command \([a-z]*\).*/\1/p' "$work/tables")"

if command -v groff >/dev/null; then
	is 'groff has nothing to say' "$(groff -man -Tascii -ww -z "$page" 2>&1)" ''
else
	skip 'groff on the page' 'groff is not here'
fi
finish
