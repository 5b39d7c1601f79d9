#!/bin/sh
# $who and $shell are words of a command.
# shellcheck disable=SC2086
# get.sh and replace.sh as they are, without a network, under each shell: attributes kept, links, compare-and-set, full
# and read-only disks, nothing left behind; and the resident shell on a full disk. Needs root (owners, mounts in a
# namespace of its own).
. "$(dirname "$0")/../../lib/tap.sh"
[ "$(id -u)" = 0 ] || { echo "SKIP all: needs root (owners, mounts)"; exit 0; }
if [ "${IN_NAMESPACE-}" != 1 ]; then
	IN_NAMESPACE=1 exec unshare -m "$0" "$@"
fi
scripts=$(cd "$(dirname "$0")/../../../orchestrator/transport/remote" && pwd)
export LC_ALL=C

hash() { sha256sum <"$1" | cut -d ' ' -f 1; }
text_hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
state() { stat -c '%a %u %g %h' "$1"; }
# As somebody who is not root.
as_user() { setpriv --reuid 61001 --regid 61001 --clear-groups "$@"; }

# replace PATH TEXT [OLD HASH [BACKUP]] as $who: the code in $status, what it said in $err
replace() {
	status=0
	printf %s "$2" | $who $shell "$scripts/replace.sh" "$1" "${3:-$(hash "$1")}" "$(text_hash "$2")" "${4-}" >"$out" 2>"$err" || status=$?
	tap_ran="replace.sh $*"
}
get() {
	status=0
	$who $shell "$scripts/get.sh" "$@" >"$out" 2>"$err" </dev/null || status=$?
	tap_ran="get.sh $*"
}
# content NAME FILE TEXT
content() { is "$1" "$(cat "$2")" "$3"; }
# only NAME FOLDER FILES: nothing else is in there
only() { is "$1" "$(cd "$2" && find . -mindepth 1 | sort | tr '\n' ' ')" "$3"; }

fresh() {
	rm -rf "$work/d"
	mkdir "$work/d"
	chmod 755 "$work" "$work/d"
	printf 'old\n' >"$work/d/f"
	who=
}

one_shell() {
	s=$shell
	fresh
	chmod 640 "$work/d/f"
	chown 61001:61002 "$work/d/f"
	replace "$work/d/f" 'new'
	status_is "$s: replaced" 0
	content "$s: the bytes" "$work/d/f" new
	is "$s: mode, owner, group, links" "$(state "$work/d/f")" '640 61001 61002 1'
	only "$s: nothing else" "$work/d" './f '
	fresh
	replace "$work/d/f" ''
	status_is "$s: by nothing" 0
	is "$s: is empty" "$(stat -c %s "$work/d/f")" 0
	replace "$work/d/f" 'a
b
'
	status_is "$s: from nothing" 0

	fresh
	replace "$work/d/f" new "$(text_hash other)"
	status_is "$s: changed meanwhile" 122
	content "$s: then nothing is done" "$work/d/f" old
	only "$s: nor left" "$work/d" './f '

	fresh
	ln -s f "$work/d/link"
	ln -s "$work/d/link" "$work/d/link2"
	replace "$work/d/link2" new '' bak
	status_is "$s: through links" 0
	is "$s: the links stay" "$(readlink "$work/d/link2") $(readlink "$work/d/link")" "$work/d/link f"
	content "$s: their file is replaced" "$work/d/f" new
	content "$s: and kept beside it" "$work/d/bak" old
	replace "$work/d/f" newer '' bak
	status_is "$s: once more" 0
	content "$s: the first backup counts" "$work/d/bak" old
	only "$s: nothing else with a backup" "$work/d" './bak ./f ./link ./link2 '

	fresh
	ln "$work/d/f" "$work/d/hard"
	replace "$work/d/f" new
	status_is "$s: hard links" 102
	err_has "$s: how many" '2 hard links'
	replace "$work/d" new x
	status_is "$s: a folder" 102
	replace /dev/null new x
	status_is "$s: a device" 102
	mkfifo "$work/d/fifo"
	replace "$work/d/fifo" new x
	status_is "$s: a pipe" 102
	replace "$work/d/none" new x
	status_is "$s: not there" 103
	replace "$work/d/f/x" new x
	status_is "$s: below a file" 103
	ln -s nowhere "$work/d/dangling"
	replace "$work/d/dangling" new x
	status_is "$s: a link to nowhere" 103

	fresh
	printf 'half' | $shell "$scripts/replace.sh" "$work/d/f" "$(hash "$work/d/f")" "$(text_hash whole)" '' 2>"$err" || status=$?
	status_is "$s: bytes that did not come whole" 107
	content "$s: are not put in place" "$work/d/f" old
	only "$s: nor left behind" "$work/d" './f '

	fresh
	who=as_user
	replace "$work/d/f" new
	status_is "$s: a folder that may not be written" 106
	chmod 600 "$work/d/f"
	replace "$work/d/f" new "$(text_hash 'old
')"
	status_is "$s: a file that may not be read" 106
	chmod 644 "$work/d/f"
	chmod 777 "$work/d"
	replace "$work/d/f" new
	status_is "$s: somebody else's file" 106
	content "$s: keeps its bytes" "$work/d/f" 'old'
	only "$s: and nothing is left" "$work/d" './f '

	fresh
	mkdir "$work/d/m"
	mount -t tmpfs -o size=64k none "$work/d/m"
	printf 'old\n' >"$work/d/m/f"
	head -c 200000 /dev/zero >"$work/d/m/filler" 2>/dev/null || true
	replace "$work/d/m/f" "$(head -c 20000 /dev/zero | tr '\0' x)"
	status_is "$s: the disk is full" 108
	content "$s: the old file is there" "$work/d/m/f" old
	only "$s: and no other" "$work/d/m" './f ./filler '
	rm "$work/d/m/filler"
	mount -o remount,ro "$work/d/m"
	replace "$work/d/m/f" new
	status_is "$s: a read-only disk" 106
	umount "$work/d/m"
	if chattr +i "$work/d/f" 2>/dev/null; then
		replace "$work/d/f" new
		status_is "$s: an immutable file" 106
		chattr -i "$work/d/f"
		only "$s: nothing beside it" "$work/d" './f ./m '
	else
		skip "$s: an immutable file" 'chattr does not work here'
	fi
	if command -v setfacl >/dev/null && setfacl -m u:61003:r "$work/d/f" 2>/dev/null; then
		replace "$work/d/f" new
		status_is "$s: a file with an ACL" 0
		ok "$s: the ACL is kept" sh -c 'getfacl -c "$1" | grep -q user:61003:r--' sh "$work/d/f"
	else
		skip "$s: a file with an ACL" 'setfacl is not here, or the file system has none'
	fi

	fresh
	mkdir "$work/d/it's a  folder"
	printf 'old\n' >"$work/d/it's a  folder/-f \$x"
	replace "$work/d/it's a  folder/-f \$x" new '' '-b c'
	status_is "$s: a strange name" 0
	only "$s: a strange name's backup" "$work/d/it's a  folder" './-b c ./-f $x '
	get "$work/d/it's a  folder/-f \$x" 100
	is "$s: read" "$(tail -n +5 "$out")" new

	fresh
	chmod 4640 "$work/d/f"
	get "$work/d/f" 100
	is "$s: get: header" "$(head -n 1 "$out")" "4640 0 0 1 4 $(stat -c %Y "$work/d/f")"
	is "$s: get: names, path" "$(sed -n '2,4p' "$out" | tr '\n' ' ')" "root root $work/d/f "
	is "$s: get: bytes" "$(tail -n +5 "$out")" old
	get "$work/d/f" 3
	status_is "$s: get: too large" 105
	get "$work/d/f" 4
	status_is "$s: get: just so large" 0
	get "$work/d" 100
	status_is "$s: get: a folder" 102
	get "$work/d/none" 100
	status_is "$s: get: not there" 103
	who=as_user
	chmod 600 "$work/d/f"
	get "$work/d/f" 100
	status_is "$s: get: may not be read" 106
	chmod 700 "$work/d"
	get "$work/d/f" 100
	status_is "$s: get: in a folder that may not be entered" 106
	who=
	get /proc/version 100000
	status_is "$s: get: a file of /proc" 0
}

# resident: plays its stdin to the resident shell, with $TMPDIR on the small disk.
resident() {
	tap_ran="shell.sh"
	status=0
	TMPDIR=$work/d/m $shell -c 'N=0123456789abcdef n="
" LC_ALL=C; . "$1"' sh "$scripts/shell.sh" >"$out" 2>"$err" || status=$?
}

full_disk() {
	s=$shell
	fresh
	mkdir "$work/d/m"
	mount -t tmpfs -o size=64k none "$work/d/m"
	resident </dev/null
	out_has "$s: a folder in \$TMPDIR" "hello 1 0022 "
	out_has "$s: which is named" "$work/d/m/.cutover.0123456789abcdef"
	only "$s: and is gone at the end" "$work/d/m" ''

	# There is no room for a request: it fails, and the next one that fits does not.
	{
		printf '@0123456789abcdef put r1\n'
		head -c 100000 /dev/zero | tr '\0' '#'
		printf '\n@0123456789abcdef .\n@0123456789abcdef run 1 0 1000 0\n'
		printf '@0123456789abcdef put r1\nexit 3\n@0123456789abcdef .\n@0123456789abcdef run 1 0 1000 0\n'
	} | resident
	ok "$s: no room for a request, and why" grep -q '^@0123456789abcdef 1 fail write .*No space left' "$out"
	out_has "$s: one with room" '@0123456789abcdef 1 end 3 0 0 0 0'

	head -c 200000 /dev/zero >"$work/d/m/filler" 2>/dev/null || true
	resident </dev/null
	out_has "$s: \$TMPDIR is full: the next place" ' /tmp/.cutover.0123456789abcdef'
	only "$s: nothing is left there" "$work/d/m" './filler '
	umount "$work/d/m"
}

for shell in dash 'bash --posix' 'busybox sh'; do
	if command -v "${shell%% *}" >/dev/null; then
		one_shell
		full_disk
	else
		skip "$shell" 'it is not here'
	fi
done

# A host that has nothing but busybox: its applets come first.
if command -v busybox >/dev/null; then
	mkdir "$work/applets"
	for applet in $(busybox --list); do
		case $applet in
		stat | readlink | cp | mv | ln | rm | cat | mktemp | sha256sum | sync | chmod | ls | id | head | wc | mkdir) ln -s "$(command -v busybox)" "$work/applets/$applet" ;;
		esac
	done
	PATH=$work/applets:$PATH
	one_shell
fi
finish
