#!/bin/sh
# deploy/demo/host-init.sh TAG N DIR ADDRESS PORT NAME VARIANTS
#
# One host of the demo fleet: its first process (pid 1). Started by fleet.sh in new mount, pid, uts and ipc namespaces,
# with the machine's network. It makes a file tree of its own, moves into it, puts the sync client there, runs the
# variants' hooks, starts cron and sshd, and then only waits.
#
# What the host sees: /usr and /etc of this machine through overlays (writes stay in memory), with this machine's
# people, passwords, jobs and sudo rules taken out; everything else is new and empty. Nothing of /home, /root, /var ...
# Needs root. Leaves nothing behind: all mounts die with the namespace, all files are in a tmpfs in it. In DIR/hosts/N
# it writes `pid` and, once, the host key.
set -eu

tag=$1 n=$2 dir=$3 address=$4 port=$5 name=$6 variants=$7
here=$(dirname "$(realpath "$0")")
state=$dir/hosts/$n
domain=customer${name#*-}.example
folder=/opt/imhs-ws-clinet

# The mounts of the new tree. The base is mounted over /sys, since no path that the caller may name is there.
make_root() {
	base=/sys
	mount -t tmpfs -o mode=755,size=256m tmpfs $base
	mkdir -p $base/root $base/upper/usr $base/upper/etc $base/work/usr $base/work/etc
	mount --bind $base/root $base/root
	cd $base/root
	mkdir -p etc usr dev proc run tmp root home/cutover home/sync opt srv mnt old \
		var/log var/lib var/cache var/mail var/tmp var/spool/cron/crontabs
	chmod 1777 tmp var/tmp
	chmod 700 root
	ln -s ../run var/run
	for part in usr etc; do
		mount -t overlay -o "lowerdir=/$part,upperdir=$base/upper/$part,workdir=$base/work/$part" overlay $part
	done
	for link in /bin /sbin /lib*; do
		if [ -L "$link" ]; then
			cp -P "$link" .
		else
			mkdir "./$link"
			mount --rbind "$link" "./$link"
		fi
	done
	mount -t proc -o nosuid,nodev,noexec proc proc
	mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
	mkdir -p run/sshd run/lock run/demo
}

# Few devices and an own devpts: through /dev/log of the machine, the host would write into its system log.
make_dev() {
	mount -t tmpfs -o mode=755,nosuid tmpfs dev
	for node in null zero full random urandom tty; do
		: >dev/$node
		mount --bind /dev/$node dev/$node
	done
	mkdir dev/pts dev/shm
	chmod 1777 dev/shm
	mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666,nosuid,noexec devpts dev/pts
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s fd/0 dev/stdin
	ln -s fd/1 dev/stdout
	ln -s fd/2 dev/stderr
}

# System users stay, since setgid programs need their numbers; people go, and with them all passwords. Debian's user
# `sync` becomes the owner of the client.
make_users() {
	awk -F: -v OFS=: '$1 == "root" { $7 = "/bin/sh" } $1 == "sync" { $6 = "/home/sync"; $7 = "/bin/sh"; $4 = 4000 }
		($3 < 1000 || $1 == "nobody") && $1 != "cutover"' /etc/passwd >etc/passwd.new
	awk -F: '($3 < 1000 || $1 == "nogroup") && $1 != "sync" && $1 != "cutover"' /etc/group >etc/group.new
	cat >>etc/passwd.new <<-X
		cutover:x:4001:4001:migration account:/home/cutover:/bin/sh
	X
	printf 'sync:x:4000:\ncutover:x:4001:\n' >>etc/group.new
	awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' etc/passwd.new >etc/shadow.new
	awk -F: '{ print $1 ":*::" }' etc/group.new >etc/gshadow.new
	chown root:shadow etc/shadow.new etc/gshadow.new
	chmod 640 etc/shadow.new etc/gshadow.new
	for file in passwd group shadow gshadow; do
		mv etc/$file.new etc/$file
	done
	mkdir -m 700 home/cutover/.ssh
	cp "$dir/id_ed25519.pub" home/cutover/.ssh/authorized_keys
	chown -R 4001:4001 home/cutover
	chown 4:4000 home/sync
	chown root:crontab var/spool/cron/crontabs
	chmod 1730 var/spool/cron/crontabs
}

# Short rules of its own for PAM and name look-ups: the machine's may ask a directory server, or systemd, for each sudo.
make_etc() {
	echo "$name" >etc/hostname
	hostname "$name"
	printf '127.0.0.1 localhost\n%s %s.%s %s\n' "$address" "$name" "$domain" "$name" >etc/hosts
	printf '%s: files\n' passwd group shadow gshadow hosts services protocols >etc/nsswitch.conf
	for kind in auth account password session session-noninteractive; do
		echo "${kind%-*} required pam_unix.so" >etc/pam.d/common-$kind
	done
	printf '@include common-account\n@include common-session-noninteractive\n' >etc/pam.d/cron
	printf '@include common-auth\n@include common-account\n@include common-session\n' >etc/pam.d/sudo
	: >etc/environment
	rm -f etc/ld.so.preload etc/sudoers.d/* etc/crontab etc/cron.d/* etc/cron.*ly/* etc/profile.d/* etc/motd
	cat >etc/sudoers <<-'X'
		Defaults env_reset
		Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		root ALL=(ALL:ALL) ALL
		@includedir /etc/sudoers.d
	X
	echo 'cutover ALL=(ALL:ALL) NOPASSWD: ALL' >etc/sudoers.d/cutover
	chmod 440 etc/sudoers etc/sudoers.d/cutover
	cat >etc/crontab <<-'X'
		SHELL=/bin/sh
		PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
		MAILTO=""

		# m h dom mon dow user	command
		17 *	* * *	root	cd / && run-parts --report /etc/cron.hourly
	X
}

make_sshd() {
	rm -f etc/ssh/ssh_host_* etc/ssh/sshd_config.d/*
	cp "$state/ssh_host_key" "$state/ssh_host_key.pub" etc/ssh/
	chmod 600 etc/ssh/ssh_host_key
	cat >etc/ssh/sshd_config <<-X
		Port $port
		ListenAddress $address
		HostKey /etc/ssh/ssh_host_key
		PidFile /run/sshd.pid
		AllowUsers cutover
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UsePAM no
		UseDNS no
		PrintMotd no
		LogLevel VERBOSE
		Subsystem sftp internal-sftp
	X
}

# The client as the vendor's guide has it installed: a folder of its own, spelt as the vendor spells it.
make_client() {
	key=$(cat /proc/sys/kernel/random/uuid)
	mkdir ".$folder"
	for file in imhs-config.rb imhs-ws-client.rb users.csv; do
		sed "s/@DOMAIN@/$domain/g; s/@API_KEY@/$key/" "$here/client/$file" >".$folder/$file"
	done
	chmod 640 ".$folder"/imhs-config.rb ".$folder"/users.csv
	: >var/log/imhs-sync.log
	chown -R 4:4000 ".$folder" var/log/imhs-sync.log
	cp "$here"/variants/*.sh run/demo/
}

enter_root() {
	pivot_root . old
	cd /
	umount -l /old
	rmdir /old
	unset OLDPWD
}

# What a hook may use: FOLDER, DOMAIN and the host's own tools. It runs in / as root, before cron and sshd start.
run_variants() {
	crontab -u sync - <<-X
		# directory sync of $domain, each night
		MAILTO=""
		23 3 * * * cd $folder && /usr/bin/ruby imhs-ws-client.rb
	X
	export FOLDER=$folder DOMAIN="$domain"
	for variant in $(echo "$variants" | tr ',' ' '); do
		sh "/run/demo/$variant.sh" || { echo "variant $variant failed"; exit 1; }
	done
}

main() {
	read -r pid _ </proc/self/stat
	echo "$pid" >"$state/pid"
	umask 022
	make_root
	make_dev
	make_users
	make_etc
	make_sshd
	make_client
	enter_root
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
