# shellcheck shell=sh
# The file tree of a Windows host, as Linux sees it; sourced by template.sh and host-init.sh, as root in a mount namespace
# of their own.
#
# What is in it: this machine's programs and libraries (/usr, read-only), an /etc of its own, and empty folders; nothing
# else of the machine. /wine is the Wine prefix; its drive C: is bound to `/C:` too, so that SFTP has the paths that it
# has on Windows. The one user is Administrator.

# The new tree is built over /sys, since no path that a caller may name is there.
tree=/sys/root

# Our stand-ins in C:\windows\system32 for Wine's own programs.
our_programs='sc schtasks tasklist findstr'

# Wine runs as root (one user is enough), but without root's power over files: a read-only file, which to Wine is one
# without write bits, is read-only to it.
# shellcheck disable=SC2034
capabilities=-dac_override,-dac_read_search

# Wine's side of the world. mscoree and mshtml would ask to be downloaded. Wine takes its own programs, whatever lies in
# their place, unless it is told otherwise ("native before builtin").
windows_env() {
	export WINEPREFIX=/wine WINEARCH=win64 WINEDEBUG=-all HOME=/home USER=Administrator LANG=C.UTF-8 TMPDIR=/tmp
	WINEDLLOVERRIDES='mscoree,mshtml='
	for program in $our_programs; do
		WINEDLLOVERRIDES="$WINEDLLOVERRIDES;$program.exe=n,b"
	done
	export WINEDLLOVERRIDES
	export PATH=/usr/lib/wine:/usr/sbin:/usr/bin
	unset DISPLAY
}

make_tree() {
	mount --make-rprivate /
	mount -t tmpfs -o mode=755,size=1g tmpfs /sys
	mkdir -p "$tree"
	mount --bind "$tree" "$tree"
	cd "$tree" || exit
	mkdir -p dev etc/fonts etc/ssh home old proc run/sshd run/winhost tmp usr var wine C:
	chmod 1777 tmp
	ln -s ../run var/run
	cp -a /bin /sbin /lib* .
	mount --bind /usr usr
	mount -o remount,bind,ro usr
	mount -t proc -o nosuid,nodev,noexec proc proc
	mount -t tmpfs -o mode=755,nosuid tmpfs dev
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev/
	mkdir -m 1777 dev/shm
	ln -s /proc/self/fd dev/fd
	make_etc
}

# Wine takes the user's name, and so the folder below C:\Users, from here; sshd the home and the shell. dash, since the
# shell starts for each command.
make_etc() {
	cp /etc/ld.so.cache etc/
	cat >etc/passwd <<-'P'
		Administrator:x:0:0::/home:/bin/dash
		sshd:x:100:65534::/run/sshd:/usr/sbin/nologin
		nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
	P
	printf 'Administrators:x:0:\nnogroup:x:65534:\n' >etc/group
	printf 'Administrator:*:19000:0:99999:7:::\nsshd:*:19000:0:99999:7:::\n' >etc/shadow
	chmod 600 etc/shadow
	echo '<fontconfig><cachedir>/tmp/fonts</cachedir></fontconfig>' >etc/fonts/fonts.conf
	printf '%s: files\n' passwd group shadow hosts services protocols >etc/nsswitch.conf
}

enter_tree() {
	pivot_root . old
	cd /
	umount -l /old
	rmdir /old
	unset OLDPWD
}
