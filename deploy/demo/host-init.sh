#!/bin/sh
# deploy/demo/host-init.sh TAG N DIR ADDRESS PORT NAME VARIANTS
#
# One host of the demo fleet: its first process (pid 1). Started by fleet.sh in new mount, pid, uts and ipc namespaces,
# with the machine's network. It makes a file tree of its own, moves into it, runs the variants' hooks,
# starts cron and sshd, and then only waits.
#
# What the host sees: /usr and /etc of this machine through overlays (writes stay in memory), with this machine's
# people, passwords, jobs and sudo rules taken out; over them the files of DIR/base (base.sh); all else is new and empty.
# Nothing of /home, /root, /var, /opt ...
#
# Needs root. Leaves nothing behind: all mounts die with the namespace, all files are in a tmpfs in it. In DIR/hosts/N
# it writes `pid`. Processes are dear on small machines, and a fleet starts all its hosts at once: few are used here.
set -eu

tag=$1 n=$2 dir=$3 address=$4 port=$5 name=$6 variants=$7
domain=customer${name#*-}.example
folder=/opt/imhs-ws-clinet
# The new tree is built over /sys, since no path that the caller may name is there.
tree=/sys/root

# In the order of mounting. /dev is new too, with its own terminals: through the machine's /dev/log the host would write
# into the machine's system log.
list_mounts() {
	for part in usr etc; do
		echo "overlay $tree/$part overlay lowerdir=/$part,upperdir=/sys/upper/$part,workdir=/sys/work/$part"
	done
	echo "proc $tree/proc proc nosuid,nodev,noexec"
	echo "tmpfs $tree/run tmpfs mode=755,nosuid,nodev"
	echo "tmpfs $tree/dev tmpfs mode=755,nosuid"
	echo "devpts $tree/dev/pts devpts newinstance,gid=5,mode=620,ptmxmode=666,nosuid,noexec,x-mount.mkdir"
}

# /bin, /sbin and /lib* are links into /usr on Debian 12 and later.
make_tree() {
	mount -t tmpfs -o mode=755,size=256m tmpfs /sys
	mkdir -p $tree /sys/upper/usr /sys/upper/etc /sys/work/usr /sys/work/etc
	mount --bind $tree $tree
	cd $tree
	mkdir dev etc proc run usr
	list_mounts >/sys/fstab
	mount -a -T /sys/fstab
	rm -f etc/ld.so.preload etc/sudoers.d/* etc/cron.d/* etc/cron.*ly/* etc/profile.d/* etc/motd \
		etc/ssh/ssh_host_* etc/ssh/sshd_config.d/*
	cp -a "$dir/base/." .
	cp -a "$dir/hosts/$n/ssh_host_key" "$dir/hosts/$n/ssh_host_key.pub" etc/ssh/
	cp -a /bin /sbin /lib* .
	cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty dev/
}

# One sed for all; it keeps owners and modes.
fill_in() {
	read -r key </proc/sys/kernel/random/uuid
	sed -i "s/@NAME@/$name/g; s/@DOMAIN@/$domain/g; s/@ADDRESS@/$address/g; s/@PORT@/$port/g; s/@API_KEY@/$key/g" \
		etc/hostname etc/hosts etc/ssh/sshd_config var/spool/cron/crontabs/sync .$folder/imhs-config.rb .$folder/users.csv
}

enter_tree() {
	pivot_root . old
	cd /
	umount -l /old
	rmdir /old
	unset OLDPWD
}

# What a hook may use: FOLDER, DOMAIN and the host's own tools. It runs in / as root, before cron and sshd start.
run_variants() {
	export FOLDER=$folder DOMAIN="$domain"
	IFS=,
	for variant in $variants; do
		sh "/run/demo/$variant.sh" || { echo "variant $variant failed"; exit 1; }
	done
	unset IFS FOLDER DOMAIN
}

main() {
	# The shell's number outside: /proc is still the machine's.
	read -r pid _ </proc/self/stat
	echo "$pid" >"$dir/hosts/$n/pid"
	umask 022
	make_tree
	fill_in
	enter_tree
	hostname "$name"
	run_variants
	/usr/sbin/cron -f &
	/usr/sbin/sshd -D -E /var/log/sshd.log &
	# Never ends, so that `wait` goes on collecting whatever the host's processes leave behind.
	sleep infinity &
	wait
}

: "$tag"
main
exit
