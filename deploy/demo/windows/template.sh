#!/bin/sh
# deploy/demo/windows/template.sh DIR
#
# Makes in DIR what all Windows hosts have in common, where it is not there yet: prefix/ (a Wine prefix with our programs
# in it, some 700 MB, most of it Wine's DLLs) and programs/ (the service, for host-init.sh to install). It takes 10–20 s
# the first time and a moment again: DIR/stamp holds a hash of all that went in, sources and Wine's version.
#
# Needs root and the packages of deploy/deps.sh --windows. Leaves DIR, and no process.
set -eu

dir=$1
here=$(dirname "$(realpath "$0")")

die() {
	echo "template.sh: $*" >&2
	exit 1
}

stamp() {
	(cd "$here" && find tools service tree.sh template.sh -type f -exec sha256sum {} + | sort -k 2
		dpkg-query -W wine64 gcc-mingw-w64-x86-64-win32 2>/dev/null || true) | sha256sum
}

# program NAME SOURCE...
program() {
	name=$1
	shift
	x86_64-w64-mingw32-gcc -std=gnu17 -O2 -s -municode -D_WIN32_WINNT=0x0601 -Wall -Wextra -Werror \
		-o "$dir/programs/$name.exe" "$@" -ladvapi32 ||
		die "$name.exe does not compile"
}

compile() {
	rm -rf "$dir/programs"
	mkdir -p "$dir/programs"
	program PluginService "$here"/service/*.c
	program sshshell "$here/tools/sshshell.c"
	text=$here/tools/lib_text.c
	program sc "$here"/tools/sc*.c "$text"
}

# Runs in new mount, pid, uts and ipc namespaces. The prefix is made in the tree's memory and moved to the disk when it is
# whole: Wine writes thousands of small files.
inside() {
	. "$here/tree.sh"
	mkdir -p "$dir/prefix.new"
	make_tree
	mount --bind "$dir/prefix.new" wine
	mkdir programs
	mount --bind "$dir/programs" programs
	hostname WINHOST
	enter_tree
	windows_env
	wine64 wineboot -i >/dev/null 2>/var/wineboot.log || die "wineboot failed: $(tail -n 5 /var/wineboot.log)"
	wineserver64 -w
	rm -f /wine/dosdevices/z:
	[ ! -d /wine/drive_c/users ] || mv /wine/drive_c/users /wine/drive_c/Users
	for name in sc tasklist schtasks findstr icacls; do
		[ ! -f /programs/$name.exe ] || cp -f /programs/$name.exe /wine/drive_c/windows/system32/$name.exe
	done
	cp /programs/sshshell.exe /wine/drive_c/windows/
}

if [ "${2-}" = inside ]; then
	inside
	exit
fi
mkdir -p "$dir"
exec 9>"$dir/lock"
flock -w 300 9
wanted=$(stamp)
[ "$(cat "$dir/stamp" 2>/dev/null)" != "$wanted" ] || exit 0
echo "template.sh: making the common part of the Windows hosts in $dir" >&2
rm -rf "$dir/stamp" "$dir/prefix.new"
compile
timeout 300 unshare -m -u -i -p -f --kill-child "$here/template.sh" "$dir" inside
# Hosts that run use the old one until they end: it is moved, and removed with the next change.
rm -rf "$dir/prefix.old"
[ ! -d "$dir/prefix" ] || mv "$dir/prefix" "$dir/prefix.old"
mv "$dir/prefix.new" "$dir/prefix"
echo "$wanted" >"$dir/stamp"
