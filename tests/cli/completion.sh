#!/bin/bash
# The completion offers what the program's tables say, and nothing else. Needs $CUTOVER; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
need_program

"$CUTOVER" --dump-options >"$work/tables"
# shellcheck source=/dev/null
. "$(dirname "$0")/../../deploy/completion/cutover.bash"

# complete WORD...: what is offered for the last of these words.
complete_words() {
	COMP_WORDS=(cutover "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_cutover
	printf '%s\n' "${COMPREPLY[@]}" | sort
}
sorted() { tr ' ' '\n' | sed '/^$/d' | sort; }
commands=$(sed -n 's/^command \([a-z]*\).*/\1/p' "$work/tables")

is 'commands' "$(complete_words '')" "$(echo "$commands --help --version" | sorted)"
is 'commands that begin so' "$(complete_words re)" "$(printf 'report\nresume')"
is 'help: commands' "$(complete_words help '')" "$(echo "$commands" | sorted)"
for command in $commands; do
	is "$command: its options" "$(complete_words "$command" -)" \
		"$(sed -n "s/^option $command \(--[a-z-]*\).*/\1/p" "$work/tables" | sort)"
done

# The values of an option are those that the program lists when it is given another.
values() {
	"$CUTOVER" "$@" nonsense 2>&1 | sed -n "s/.*is none of \([a-z, -]*\).*/\1/p" | tr -d ',' | sorted
}
is '--phase' "$(complete_words resume --phase '')" "$(values resume --phase)"
is '--only' "$(complete_words resume --only '')" "$(values resume --only)"
is '--format' "$(complete_words report --format '')" "$(values report --format)"
is '--owner' "$(complete_words todo --owner '')" "$(values todo --owner)"
is '--lang' "$(complete_words report --lang '')" "$(values report --lang)"
is '--log-level' "$(complete_words report --log-level '')" "$(values report --log-level)"
is '--result' "$(complete_words confirm a b --result '')" "$(values confirm a b --by x --result)"
ok 'the program lists values' test -n "$(values report --format)"
touch "$work/fleet.json"
cd "$work"
is 'files elsewhere' "$(complete_words run fl)" fleet.json
finish
