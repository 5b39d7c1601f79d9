#!/bin/bash
# deploy/demo/fleet.sh up DIR N [--port P] [--prefix A.B.C] [--variant N=NAME[,NAME...]]... [--host-key N=TYPE]...
#                         [--with-windows]
#                      down DIR
#                      exec DIR N COMMAND [ARGUMENT...]
#                      status DIR
#
# A fleet of real SSH hosts on this machine: host N is OpenSSH's sshd at A.B.C.N (default 127.77.0.N, port 2222; every
# address of 127.0.0.0/8 is this machine) in namespaces and with files, users, cron and a Ruby sync client of its own.
#
# up      starts the hosts that are not running, returns when each answers, and writes into DIR (made where missing):
#           hosts.txt    N ADDRESS PORT HOSTNAME FINGERPRINT, a line a host; HOSTNAME is what `hostname` prints there
#           known_hosts  their keys          id_ed25519   the key of the login user `cutover`, mode 0600
#           hosts/N/     the host's key, the number of its first process, what it said while it started (log)
#         --prefix auto: a prefix of DIR's own, so that several fleets can be up at once
#         --variant: a hook of deploy/demo/variants, run in the host at its start
#         --host-key: ed25519 (default), ecdsa or rsa
#         --with-windows: and a Windows host, a fleet of its own in DIR/windows (windows/winhosts.sh; it needs the
#         packages of deploy/deps.sh --windows, and 700 MB below build/); `down` and `status` are for both
# down    ends the hosts and removes what `up` wrote; no process, no mount is left. All changes in the hosts are gone.
# exec    runs a command in host N, as root, with its exit status.
# status  N ADDRESS PORT HOSTNAME up|down VARIANTS, a line a host; exits 1 when one is down.
#
# Needs root, overlayfs, and the packages of deploy/deps.sh --demo. Exits 2 on wrong usage, 1 on failure.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
me=fleet.sh tag_word=cutover-demo-host init=$here/host-init.sh hooks=$here/variants name_format=sync-%02d
net=127.77.0 auto_octet=64 patience_s=60
. "$here/lib.sh"

enter_host() {
	nsenter -t "$1" -m -u -i -p -r -w \
		env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
}

# Says at once what would otherwise be N hosts failing for the same reason.
check_machine() {
	local tool said
	for tool in sshd cron sudo ruby unshare nsenter ssh-keygen; do
		PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null ||
			die "$tool is missing: run $(realpath -m "$here/../deps.sh") --demo"
	done
	# Not in this shell: $2 is the inner shell's.
	# shellcheck disable=SC2016
	said=$(unshare -m -u -i -p -f sh -ec 'mount -t tmpfs none /sys; cd /sys; mkdir u w m
		mount -t overlay -o lowerdir=/etc,upperdir=/sys/u,workdir=/sys/w none m' 2>&1) ||
		die "this machine does not let root make namespaces and overlay mounts (in a container: start it" \
			"with --privileged): $said"
}

make_common() {
	"$here/base.sh" "$dir/base" "$dir/id_ed25519.pub"
}

# A host that is there but does not answer has lost its sshd, or that one hangs: it gets a new one, and keeps its files.
restart_sshd() {
	if ! answers "$prefix.$1" "$port"; then
		enter_host "$2" pkill -9 -x sshd || true
		enter_host "$2" /usr/sbin/sshd -E /var/log/sshd.log
		started+=("$1:$2")
	fi
}

cmd_exec() {
	[ $# -ge 3 ] || usage "exec: give DIR, the host's number and a command"
	use_dir "$1"
	local n=$2 pid
	shift 2
	is_number "$n" || usage "exec: \"$n\" is no number of a host"
	host_pid "$n" || die "host $n of $dir is not up"
	enter_host "$pid" "$@"
}

windows() {
	"$here/windows/winhosts.sh" "$1" "$2/windows" "${@:3}"
}

# The option has no value, unlike those that lib.sh knows. A folder with a Windows host in it says so itself.
main() {
	local words=() word with_windows='' code=0
	for word; do
		case $word in
		--with-windows) with_windows=1 ;;
		*) words+=("$word") ;;
		esac
	done
	set -- "${words[@]}"
	[ $# -lt 2 ] || [ ! -f "$2/windows/fleet.conf" ] || with_windows=1
	case ${with_windows:+${1:-}} in
	up)
		fleet_main "$@"
		windows up "$2" 1 --prefix auto
		;;
	down)
		windows down "$2"
		fleet_main "$@"
		;;
	status)
		(fleet_main "$@") || code=$?
		windows status "$2" || code=$?
		return $code
		;;
	*) fleet_main "$@" ;;
	esac
}

main "$@"
