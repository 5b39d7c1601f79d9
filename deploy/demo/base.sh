#!/bin/sh
# deploy/demo/base.sh BASE KEY.PUB
#
# Makes in the folder BASE, anew, the files that all hosts of a demo fleet have in common: users, sudo and PAM rules,
# sshd's settings, cron's tables, the sync client. host-init.sh copies them into each host and fills in @NAME@,
# @DOMAIN@, @ADDRESS@, @PORT@ and @API_KEY@. KEY.PUB is what the login user `cutover` logs in with.
#
# Needs root (for the files' owners). Leaves BASE behind.
set -eu

base=$1 public_key=$2
here=$(dirname "$(realpath "$0")")

make_tree() {
	rm -rf "$base"
	mkdir -p "$base"
	cd "$base"
	mkdir -p dev/shm etc/cron.d etc/pam.d etc/ssh etc/sudoers.d home/cutover/.ssh home/sync mnt old opt proc root \
		run/lock run/sshd srv tmp usr var/cache var/lib var/log var/mail var/spool/cron/crontabs var/tmp
	chmod 1777 dev/shm tmp var/tmp
	chmod 700 root home/cutover/.ssh
	ln -s ../run var/run
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s fd/0 dev/stdin
	ln -s fd/1 dev/stdout
	ln -s fd/2 dev/stderr
	cp -r "$here/variants" run/demo
}

# System users stay, since setgid programs need their numbers; people go, and with them all passwords. Debian's user
# `sync` becomes the owner of the client.
make_users() {
	awk -F: -v OFS=: '$1 == "root" { $7 = "/bin/sh" } $1 == "sync" { $6 = "/home/sync"; $7 = "/bin/sh"; $4 = 4000 }
		($3 < 1000 || $1 == "nobody") && $1 != "cutover"' /etc/passwd >etc/passwd
	awk -F: '($3 < 1000 || $1 == "nogroup") && $1 != "sync" && $1 != "cutover"' /etc/group >etc/group
	echo 'cutover:x:4001:4001:migration account:/home/cutover:/bin/sh' >>etc/passwd
	printf 'sync:x:4000:\ncutover:x:4001:\n' >>etc/group
	awk -F: '{ print $1 ":*:19000:0:99999:7:::" }' etc/passwd >etc/shadow
	awk -F: '{ print $1 ":*::" }' etc/group >etc/gshadow
	chown root:shadow etc/shadow etc/gshadow
	chmod 640 etc/shadow etc/gshadow
	cp "$public_key" home/cutover/.ssh/authorized_keys
	chown -R 4001:4001 home/cutover
	chown 4:4000 home/sync
}

# Short rules of its own for PAM and name look-ups: the machine's may ask a directory server, or systemd, for each sudo.
make_etc() {
	echo @NAME@ >etc/hostname
	printf '127.0.0.1 localhost\n@ADDRESS@ @NAME@.@DOMAIN@ @NAME@\n' >etc/hosts
	printf '%s: files\n' passwd group shadow gshadow hosts services protocols >etc/nsswitch.conf
	for kind in auth account password session session-noninteractive; do
		echo "${kind%-*} required pam_unix.so" >etc/pam.d/common-$kind
	done
	printf '@include common-account\n@include common-session-noninteractive\n' >etc/pam.d/cron
	printf '@include common-auth\n@include common-account\n@include common-session\n' >etc/pam.d/sudo
	: >etc/environment
	cat >etc/sudoers <<-'X'
		Defaults env_reset
		Defaults secure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		root ALL=(ALL:ALL) ALL
		@includedir /etc/sudoers.d
	X
	echo 'cutover ALL=(ALL:ALL) NOPASSWD: ALL' >etc/sudoers.d/cutover
	chmod 440 etc/sudoers etc/sudoers.d/cutover
	cat >etc/ssh/sshd_config <<-'X'
		Port @PORT@
		ListenAddress @ADDRESS@
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

make_cron() {
	cat >etc/crontab <<-'X'
		SHELL=/bin/sh
		PATH=/usr/local/sbin:/usr/local/bin:/sbin:/bin:/usr/sbin:/usr/bin
		MAILTO=""

		# m h dom mon dow user	command
		17 *	* * *	root	cd / && run-parts --report /etc/cron.hourly
	X
	cat >var/spool/cron/crontabs/sync <<-'X'
		# directory sync of @DOMAIN@, each night
		MAILTO=""
		23 3 * * * cd /opt/imhs-ws-clinet && /usr/bin/ruby imhs-ws-client.rb
	X
	chown root:crontab var/spool/cron/crontabs
	chmod 1730 var/spool/cron/crontabs
	chown sync:crontab var/spool/cron/crontabs/sync
	chmod 600 var/spool/cron/crontabs/sync
}

# The client as the vendor's guide has it installed: a folder of its own, spelt as the vendor spells it.
make_client() {
	mkdir opt/imhs-ws-clinet
	cp "$here"/client/* opt/imhs-ws-clinet/
	chmod 644 opt/imhs-ws-clinet/imhs-ws-client.rb
	chmod 640 opt/imhs-ws-clinet/imhs-config.rb opt/imhs-ws-clinet/users.csv
	: >var/log/imhs-sync.log
	chown -R 4:4000 opt/imhs-ws-clinet var/log/imhs-sync.log
}

umask 022
make_tree
make_users
make_etc
make_cron
make_client
