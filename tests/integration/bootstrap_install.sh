#!/bin/sh
# deploy/bootstrap/linux.sh on hosts that have no sshd: a copy of this machine in memory, from which it was taken. Debian's
# package really, out of a file fetched before; dnf, yum and zypper by stand-ins that write down how they were called and
# put the programs in place; systemctl by one that keeps the units' states. --remove takes the packages away again.
#
# Needs root, namespaces, overlayfs, and a Debian mirror for the first part. All of it is gone with the namespace.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
root=$(realpath "$(dirname "$0")/../..")

if [ "${1-}" != inside ]; then
	if [ "$(id -u)" = 0 ] && unshare -m -p -n -f true 2>/dev/null; then
		debs=$work/debs
		mkdir "$debs"
		(cd "$debs" && apt-get -q download openssh-server openssh-sftp-server) >"$work/said" 2>&1 ||
			echo "Debian's package could not be fetched: $(tail -n 1 "$work/said")" >"$debs/why"
		chmod -R a+rX "$work"
		code=0
		unshare -m -p -n -f --mount-proc "$0" inside "$debs" || code=$?
		exit $code
	fi
	skip 'hosts without sshd' 'it needs root and namespaces'
	finish
fi

debs=$2
ip link set lo up 2>/dev/null || true
host=$work/host
mount -t tmpfs -o mode=755 none "$work"
cleanup() { umount -R -l "$work"; }
mkdir -p "$work/upper" "$work/work" "$host"
ssh-keygen -q -t ed25519 -N '' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/hostkey"

# fresh: the host anew, without sshd; its programs are kept in /stash for the stand-ins.
fresh() {
	for pid in $(pgrep -x sshd || true); do kill "$pid"; done
	! mountpoint -q "$host" || umount -R "$host"
	rm -rf "$work/upper" "$work/work"
	mkdir -p "$work/upper" "$work/work"
	mount -t overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" overlay "$host"
	mount -t proc proc "$host/proc"
	mount -t tmpfs -o mode=755 none "$host/run"
	mount -t tmpfs -o mode=1777 none "$host/tmp"
	mount --rbind /dev "$host/dev"
	mkdir "$host/stash"
	cp -p "$host/usr/sbin/sshd" "$host/stash/"
	cp "$root/deploy/bootstrap/linux.sh" "$host/stash/"
	chroot "$host" dpkg --purge --force-depends openssh-server openssh-sftp-server >/dev/null 2>&1
	chroot "$host" userdel sshd >/dev/null 2>&1 || true
	rm -rf "$host/etc/ssh/"ssh_host_* "$host/usr/sbin/policy-rc.d" "$host/etc/init.d/ssh"
	not_ok "$1: there is no sshd" chroot "$host" sh -c 'PATH=$PATH:/usr/sbin command -v sshd'
}
boot() { run chroot "$host" env -i PATH=/usr/bin:/bin "${shell-dash}" /stash/linux.sh "$@"; }
ours() { boot --key "$(cat "$work/key.pub")" --from 127.0.0.0/8 --user mover --address 192.0.2.44; }
# login COMMAND: what it prints.
login() {
	timeout 20 ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-i "$work/key" mover@127.0.0.1 "$1" 2>&1 </dev/null
}
print_of_host() { ssh-keygen -lf "$host/etc/ssh/ssh_host_ed25519_key.pub" | cut -d' ' -f2; }
list_files() {
	(cd "$host" && find etc home usr lib var root \( -path var/cache -o -path var/log -o -path var/lib/apt -o -path var/lib/ucf \
		-o -path var/lib/dpkg -o -path var/lib/systemd -o -path var/lib/pam -o -path root \) -prune \
		-o ! -name '*-' ! -name .pwd.lock -printf '%p %y %m %U:%G %l\n' | sort
		sha256sum etc/passwd etc/group etc/shadow etc/gshadow)
}
ready() {
	status_is "$1" 0
	is "$1: the line" "$(cat "$out")" "$(uname -n),192.0.2.44,22,mover,linux,sudo,ssh-ed25519 $(print_of_host)"
	is "$1: a login with the key" "$(login 'sudo -n id -u')" 0
}
gone() {
	boot --remove
	status_is "$1: --remove" 0
	not_ok "$1: sshd is gone" chroot "$host" sh -c 'PATH=$PATH:/usr/sbin command -v sshd'
	not_ok "$1: and does not run" pgrep -x sshd
	is "$1: all is as it was" "$(list_files | diff "$work/before" - | grep '^[<>]' | head -n 20)" ''
}

# ---- Debian -----------------------------------------------------------------------------------------------------

if [ -e "$debs/why" ]; then
	skip 'Debian without sshd' "$(cat "$debs/why")"
else
	fresh Debian
	cp "$debs"/*.deb "$host/var/cache/apt/archives/"
	list_files >"$work/before"
	ours
	ready Debian
	has_package() { chroot "$host" dpkg-query -W -f '${db:Status-Abbrev}' "$1" | grep -q ^.i; }
	ok 'Debian: its package is installed' has_package openssh-server
	list_files >"$work/ready"
	ours
	is 'Debian: again, nothing has changed' "$(list_files | diff "$work/ready" -)" ''
	boot --remove --keep-sshd
	status_is 'Debian: --remove --keep-sshd' 0
	ok 'Debian: sshd stays, as asked' test -x "$host/usr/sbin/sshd"
	fresh 'Debian anew'
	cp "$debs"/*.deb "$host/var/cache/apt/archives/"
	ours
	gone Debian
	# Nothing to be had: said, and nothing is left after --remove.
	fresh 'no mirror'
	list_files >"$work/before"
	rm -f "$host"/var/cache/apt/archives/openssh-s*.deb
	ours
	status_is 'no mirror: exit code' 1
	err_has 'no mirror: said' 'openssh-server could not be installed'
	out_is_empty 'no mirror: no line'
	gone 'no mirror'
fi

# ---- systems whose packages are rpm -----------------------------------------------------------------------------

# Stand-ins: one script under several names, in the host; what it was called with is in /stash/calls.
stand_in() {
	mkdir -p "$host/run/systemd/system"
	[ -n "${1-}" ] || rmdir "$host/run/systemd/system" "$host/run/systemd"
	rm -f "$host"/usr/bin/dpkg* "$host"/usr/bin/apt-get "$host"/usr/bin/systemctl
	echo 'bash' >"$host/stash/names"
	cat >"$host/stash/tool" <<-'SH'
		#!/bin/sh
		name=${0##*/}
		echo "$name $*" >>/stash/calls
		case $name in
		dnf | yum | zypper)
			for last in "$@"; do :; done
			[ "$last" = openssh-server ] || exit 1
			cp -p /stash/sshd /usr/sbin/sshd
			useradd -r -s /usr/sbin/nologin -d /run/sshd sshd
			printf 'UsePAM no\nSubsystem sftp internal-sftp\n' >/etc/ssh/sshd_config
			printf 'openssh-server\nopenssh-common\n' >>/stash/names
			;;
		rpm)
			case $1 in
			-qa) cat /stash/names ;;
			-q) shift 3; for n in "$@"; do grep -x "$n" /stash/names || echo "package $n is not installed"; done ;;
			-e)
				shift
				rm -f /usr/sbin/sshd /etc/ssh/sshd_config
				userdel sshd
				for n in "$@"; do sed -i "/^$n$/d" /stash/names; done
				;;
			esac
			;;
		systemctl)
			[ "$1" != -q ] || shift
			unit=$2
			case $1 in
			cat) [ "$unit" = sshd.service ] ;;
			is-active) [ -e "/stash/active-$unit" ] ;;
			is-enabled) [ -e "/stash/enabled-$unit" ] ;;
			enable) : >"/stash/enabled-$unit" ;;
			disable) rm "/stash/enabled-$unit" ;;
			start) /usr/sbin/sshd && : >"/stash/active-$unit" ;;
			stop) kill "$(cat /run/sshd.pid)" && rm "/stash/active-$unit" ;;
			esac
			;;
		esac
	SH
	chmod 755 "$host/stash/tool"
	for name in rpm dnf yum zypper systemctl; do ln -sf /stash/tool "$host/usr/bin/$name"; done
	rm -f "$host/usr/lib/os-release" "$host/etc/os-release"
}

fresh 'Rocky Linux'
stand_in systemd
printf 'ID="rocky"\nID_LIKE="rhel centos fedora"\n' >"$host/etc/os-release"
list_files >"$work/before"
ours
ready 'Rocky Linux'
ok 'Rocky Linux: by dnf' grep -qx 'dnf -q -y --setopt=install_weak_deps=False install openssh-server' "$host/stash/calls"
ok 'Rocky Linux: its unit is enabled' test -e "$host/stash/enabled-sshd.service"
: >"$host/stash/calls"
ours
not_ok 'Rocky Linux: again, nothing is installed, enabled or started' grep -Eq 'dnf|enable |start ' "$host/stash/calls"
gone 'Rocky Linux'
not_ok 'Rocky Linux: its unit is not enabled any more' test -e "$host/stash/enabled-sshd.service"
ok 'Rocky Linux: what came with it is gone, too' grep -qx 'rpm -e openssh-server openssh-common' "$host/stash/calls"

fresh 'CentOS 7'
stand_in
rm "$host/usr/bin/dnf"
printf 'ID="centos"\nID_LIKE="rhel fedora"\n' >"$host/etc/os-release"
list_files >"$work/before"
shell=bash
ours
ready 'CentOS 7'
ok 'CentOS 7: by yum' grep -qx 'yum -q -y install openssh-server' "$host/stash/calls"
gone 'CentOS 7'

fresh SUSE
stand_in systemd
printf 'ID="sles"\nID_LIKE="suse"\n' >"$host/etc/os-release"
list_files >"$work/before"
ours
ready SUSE
ok 'SUSE: by zypper' grep -qx 'zypper --non-interactive --quiet install --no-recommends openssh-server' "$host/stash/calls"
gone SUSE

fresh 'another system'
stand_in
printf 'ID="slackware"\n' >"$host/etc/os-release"
ours
status_is 'another system: exit code' 1
err_has 'another system: says what to do' 'install openssh-server and run it again'
for pid in $(pgrep -x sshd || true); do kill "$pid"; done
finish
