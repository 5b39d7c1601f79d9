# postfix-keys.sh MODE FILE EXPECT FINAL PAIRS
#
# A table of Postfix that is keyed by a relay, and that may hold a password behind each key: the passwords never leave the host
# (agents/postfix_keys.h). PAIRS: lines, in turns a key and the one that is to stand for it; EXPECT, FINAL: SHA-256 in hex.
#
#	look		prints frames (agents/frames.h): sum (its SHA-256), mode, owner, group, links; `entry` LINE OFFSET KEY for each key that has
#			one of the lines of PAIRS (names here, the new one last) in it, in any case, a backslash in front of its dots or not; `odd`: why
#			it cannot be changed from here
#	preview		prints `sum` (SHA-256) of the file with each key of PAIRS replaced
#	add		behind each entry of PAIRS a copy of it with the other key
#	drop		the entries of PAIRS away, so that after both the key was replaced in its place
#
# add and drop write only over a file whose SHA-256 is EXPECT, and where what becomes of it in the end is FINAL; else exit code 3,
# and nothing was done. Owner, mode and ACL are kept, a link to the file too. Exit code 4: no such file. 5: could not.
LC_ALL=C
export LC_ALL
mode=$1 file=$2 expect=$3 final=$4 PAIRS=$5
export PAIRS
t=

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

die() {
	code=$1
	shift
	printf '%s\n' "$*" >&2
	exit "$code"
}

sum() {
	if command -v sha256sum >/dev/null 2>&1; then
		set -- "$(sha256sum)"
	elif command -v shasum >/dev/null 2>&1; then
		set -- "$(shasum -a 256)"
	else
		set -- "$(openssl dgst -sha256 -r)"
	fi
	printf '%s' "${1%% *}"
}

# Keys that hold one of the names.
entries() {
	awk 'BEGIN { n = split(tolower(ENVIRON["PAIRS"]), names, "\n") }
	/^[^ \t\r#]/ {
		key = $0
		sub(/[ \t\r].*/, "", key)
		plain = tolower(key)
		gsub(/\\/, "", plain)
		for (i = 1; i <= n; i++)
			if (names[i] != "" && index(plain, names[i])) { printf "%d %d %s\n", NR, at, key; break }
	}
	{ at += length($0) + 1 }' "$file"
}

# The first entry that has one of the names in its key, and one but the last, which is the new one, in its value as well: the number
# of its line. Values are not printed.
named_twice() {
	awk 'BEGIN { n = split(tolower(ENVIRON["PAIRS"]), names, "\n") }
	function named(text, upto, i) {
		text = tolower(text)
		gsub(/\\/, "", text)
		for (i = 1; i <= upto; i++) if (names[i] != "" && index(text, names[i])) return 1
		return 0
	}
	/^[ \t\r]*(#.*)?$/ { next }
	/^[ \t]/ { if (inside && named($0, n - 1)) { print line; exit } next }
	{
		key = $0
		sub(/[ \t\r].*/, "", key)
		line = NR
		inside = named(key, n)
		if (inside && named(substr($0, length(key) + 1), n - 1)) { print line; exit }
	}' "$file"
}

# A line that goes on with an entry behind a comment would go on with its copy: that is for a person.
edit() {
	awk -v mode="$1" 'BEGIN {
		n = split(ENVIRON["PAIRS"], words, "\n")
		for (i = 1; i < n; i += 2) to[words[i]] = words[i + 1]
	}
	function over() {
		if (copy != "") printf "%s", copy
		copy = ""
		inside = 0
	}
	/^[ \t\r]*(#.*)?$/ { over(); apart = touched; print; next }
	/^[ \t]/ {
		if (apart) exit 7
		if (!inside || mode == "add") print
		if (inside && mode == "add") copy = copy $0 "\n"
		next
	}
	{
		over()
		key = $0
		sub(/[ \t\r].*/, "", key)
		touched = inside = key in to
		apart = 0
		if (inside && mode == "add") copy = to[key] substr($0, length(key) + 1) "\n"
		if (!inside || mode == "add") print
	}
	END { over() }'
}

# The file as it becomes in the end.
renamed() {
	if [ "$mode" = drop ]; then
		edit drop
	else
		edit add | edit drop
	fi
}

odd() {
	if [ "$(tr -dc '\000' <"$file" | wc -c)" -gt 0 ]; then
		echo 'holds a NUL byte'
	elif [ -s "$file" ] && [ -n "$(tail -c 1 -- "$file")" ]; then
		echo 'has no newline at its end'
	elif [ "$(wc -c <"$file")" -gt 4194304 ]; then
		echo 'is larger than 4 MiB'
	else
		set -- "$(named_twice)"
		[ -z "$1" ] || echo "has the old relay in the value of line $1 as well as in its key (a name that a certificate has to match?)"
	fi
}

look() {
	frame sum "$(sum <"$file")"
	frame mode "$(stat -L -c %a -- "$file")"
	frame owner "$(stat -L -c %U -- "$file")"
	frame group "$(stat -L -c %G -- "$file")"
	frame links "$(stat -L -c %h -- "$file")"
	entries | head -n 500 | while IFS= read -r entry; do frame entry "$entry"; done
	why=$(odd)
	[ -z "$why" ] || frame odd "$why"
	printf 'end 0\n\n'
}

attributes() {
	set -- "$(stat -c '%u %g %a' "$1")" "$(ls -ld "$1")"
	printf '%s %s\n' "$1" "${2%% *}"
}

write() {
	[ "$(sum <"$real")" = "$expect" ] || die 3 "$file was changed meanwhile"
	[ "$(renamed <"$real" | sum)" = "$final" ] || die 3 "$file is not what the change was made for"
	t=$(mktemp "${real%/*}/.${real##*/}.cutover-XXXXXX") || die 5 "$file: no file can be made beside it"
	cp -a "$real" "$t" || die 5 "$file cannot be copied"
	edit "$mode" <"$real" >"$t" || die 5 "$file cannot be written anew"
	[ "$(attributes "$t")" = "$(attributes "$real")" ] || die 5 "$file: owner and mode cannot be kept"
	sync "$t" 2>/dev/null || sync
	[ "$(sum <"$real")" = "$expect" ] || die 3 "$file was changed meanwhile"
	new=$(sum <"$t")
	mv -f "$t" "$real" || die 5 "$file cannot be replaced"
	t=
	sync "${real%/*}" 2>/dev/null || sync
	frame sum "$new"
	printf 'end 0\n\n'
}

trap '[ -z "$t" ] || rm -f "$t"' EXIT
trap 'exit 5' HUP INT PIPE TERM
umask 077
[ -e "$file" ] || die 4 "$file is not there"
if [ ! -f "$file" ] || [ ! -r "$file" ]; then
	die 5 "$file cannot be read"
fi
real=$(readlink -f "$file") || die 5 "$file: its real path cannot be found"
case $mode in
look) look ;;
preview)
	edit add <"$real" >/dev/null || die 5 "$file: a line goes on behind a comment"
	frame sum "$(renamed <"$real" | sum)"
	printf 'end 0\n\n'
	;;
add | drop) write ;;
esac
