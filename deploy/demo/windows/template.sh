#!/bin/sh
# deploy/demo/windows/template.sh DIR
#
# Makes in DIR what all Windows hosts have in common, and prints the folder it is in: DIR/HASH with prefix/ (a Wine prefix
# with our programs in it, some 700 MB, most of it Wine's DLLs) and programs/ (for host-init.sh to install). HASH is of all
# that goes in, sources and Wine's version, so that it is made only once; two more, those used last, are kept. A host holds
# the file HASH/used locked while it lives (shared), and what is locked is not removed.
#
# Needs root and the packages of deploy/deps.sh --windows. 20 s the first time. Leaves DIR, and no process.
set -eu

store=$1
here=$(dirname "$(realpath "$0")")
KEPT=3

die() {
	echo "template.sh: $*" >&2
	exit 1
}

hash() {
	(cd "$here" && find tools service sftp tree.sh template.sh -type f -exec sha256sum {} + | sort -k 2
		dpkg-query -W wine64 gcc-mingw-w64-x86-64-win32 2>/dev/null || true) | sha256sum | cut -c 1-16
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
	mkdir -p "$dir/programs"
	tools=$here/tools text=$here/tools/lib_text.c
	program PluginService "$here"/service/*.c
	program sshshell "$tools/sshshell.c"
	program sc "$tools/sc.c" "$tools/sc_rules.c" "$text"
	program schtasks "$tools/schtasks.c" "$tools"/task_*.c "$text"
	program tasklist "$tools/tasklist.c" "$text"
	program findstr "$tools/findstr.c" "$text"
	program ruby "$tools/ruby.c"
	program sftp-server "$here"/sftp/*.c
}

# Runs in new mount, pid, uts and ipc namespaces, with $dir in the tree as /template.
inside() {
	# shellcheck source=tree.sh
	. "$here/tree.sh"
	make_tree
	mkdir template
	mount --bind "$dir" template
	mount --bind "$dir/prefix" wine
	hostname WINHOST
	enter_tree
	windows_env
	wine64 wineboot -i >/dev/null 2>/var/wineboot.log || die "wineboot failed: $(tail -n 5 /var/wineboot.log)"
	wineserver64 -w
	# Z: would be this host's Linux.
	rm -f /wine/dosdevices/z:
	mv /wine/drive_c/users /wine/drive_c/Users
	sed -i 's/C:\\\\users/C:\\\\Users/' /wine/*.reg
	for name in $our_programs; do
		cp -f "/template/programs/$name.exe" /wine/drive_c/windows/system32/
	done
	mkdir -p /wine/drive_c/windows/system32/Tasks
	cp /template/programs/sshshell.exe /template/programs/sftp-server.exe /wine/drive_c/windows/
}

# Those used last come first.
remove_old() {
	# Names of folders that this script made.
	# shellcheck disable=SC2012
	ls -1dt "$store"/*/used 2>/dev/null | tail -n +$((KEPT + 1)) | while read -r used; do
		flock -n -x "$used" rm -rf "${used%/used}" || true
	done
}

if [ "${2-}" = inside ]; then
	dir=$store
	inside
	exit
fi
mkdir -p "$store"
store=$(realpath "$store")
exec 9>"$store/lock"
flock -w 600 9 || die "another template.sh is at work in $store for ten minutes now"
dir=$store/$(hash)
if [ ! -f "$dir/used" ]; then
	echo "template.sh: making the common part of the Windows hosts in $dir" >&2
	rm -rf "$dir"
	compile
	mkdir "$dir/prefix"
	timeout 300 unshare -m -u -i -p -f --kill-child "$here/template.sh" "$dir" inside >&2 9>&-
fi
touch "$dir/used"
remove_old
echo "$dir"
