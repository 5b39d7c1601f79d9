#!/bin/sh
# postfix-keys.sh on the shells that customers have: entries under a new key beside the old ones, then the old ones away, and the same
# back to the byte; what it refuses. No Postfix is needed.
#
# Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
script=$(dirname "$0")/../../agents/remote/postfix-keys.sh
old=relay.old.example new=relay.new.example
there="[$old]:587
[$new]:587
$old
$new"
back="[$new]:587
[$old]:587
$new
$old"

sum() { sha256sum <"$1" | cut -d' ' -f1; }
# keys SHELL MODE FILE [EXPECT FINAL] PAIRS
# shellcheck disable=SC2086 # a shell may be two words
keys() { run sh -c '"$@"' sh $1 "$script" "$2" "$3" "${5+$4}" "${5-}" "${6-$4}"; }
# final FILE PAIRS
final() { sh "$script" preview "$1" '' '' "$2" | sed -n 2p; }

for shell in dash bash 'busybox sh'; do
	command -v "${shell%% *}" >/dev/null || { skip "$shell" 'it is not there'; continue; }
	table=$work/sasl
	printf '# [%s]:587 a:comment\n[%s]:587 user:secret\\1 & "x"\t \nother x:y\r\n\n%s\n  next:line\n\tand:more\n# end\nuser@%s z:z\n' \
		"$old" "$old" "$old" "$old" >"$table"
	cp "$table" "$work/before"
	sed -e "2s/$old/$new/" -e "5s/$old/$new/" "$table" >"$work/after"
	chmod 600 "$table"
	ln -sf sasl "$work/link"
	keys "$shell" look "$table" "$old
$new"
	out_has "$shell: the keys" "2 36 [$old]:587"
	out_lacks "$shell: no password" secret
	out_lacks "$shell: no comment" a:comment
	wanted=$(final "$table" "$there")
	is "$shell: what it will be" "$wanted" "$(sum "$work/after")"
	keys "$shell" add "$work/link" "$(sum "$table")" "$wanted" "$there"
	status_is "$shell: add" 0
	ok "$shell: both are there" test "$(grep -c "^\[.*secret" "$table")" = 2
	keys "$shell" drop "$work/link" "$(sum "$table")" "$wanted" "$there"
	status_is "$shell: drop" 0
	ok "$shell: the keys were replaced in their place" cmp "$table" "$work/after"
	is "$shell: its mode" "$(stat -c %a "$table")" 600
	ok "$shell: a link stays one" test -L "$work/link"
	keys "$shell" add "$table" "$(sum "$table")" "$(sum "$work/before")" "$back"
	keys "$shell" drop "$table" "$(sum "$table")" "$(sum "$work/before")" "$back"
	ok "$shell: back to the byte" cmp "$table" "$work/before"

	for value in 'secure match=relay.OLD.example' 'secure
 match=relay\.old\.example'; do
		for key in "[$old]:587" "$new"; do
			printf 'x y\n%s %s\n' "$key" "$value" >"$work/policy"
			keys "$shell" look "$work/policy" "$old
$new"
			out_has "$shell: a value that names the old relay" 'has the old relay in the value of line 2'
			out_lacks "$shell: is not shown" match=
		done
	done
	printf '%s secure match=%s\nother secure match=%s\n' "$new" "$new" "$old" >"$work/policy"
	keys "$shell" look "$work/policy" "$old
$new"
	out_lacks "$shell: values that do not matter" odd

	keys "$shell" add "$table" 0000 "$wanted" "$there"
	status_is "$shell: another file than was seen" 3
	keys "$shell" add "$table" "$(sum "$table")" 0000 "$there"
	status_is "$shell: another outcome than was planned" 3
	ok "$shell: nothing was done" cmp "$table" "$work/before"
	keys "$shell" look "$work/none" "$old"
	status_is "$shell: no such file" 4
	printf '%s a:b\n# in between\n  c:d\n' "$old" >"$table"
	keys "$shell" preview "$table" "$there"
	status_is "$shell: an entry that goes on behind a comment" 5
	printf '%s a:b' "$old" >"$table"
	keys "$shell" look "$table" "$old"
	out_has "$shell: no newline at the end" 'has no newline at its end'
	printf '%s a\000b\n' "$old" >"$table"
	keys "$shell" look "$table" "$old"
	out_has "$shell: a NUL byte" 'holds a NUL byte'
done
is 'nothing is left beside it' "$(find "$work" -name '*cutover*')" ''
finish
