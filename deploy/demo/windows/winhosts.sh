#!/bin/bash
# deploy/demo/windows/winhosts.sh up DIR N [--port P] [--prefix A.B.C] [--variant N=NAME[,NAME...]]... [--host-key N=TYPE]...
#                                 down DIR
#                                 exec DIR N LINE
#                                 code DIR N LINE
#                                 session DIR N
#                                 show DIR N
#                                 status DIR
#
# A fleet of Windows hosts on this machine: host N is OpenSSH's sshd at A.B.C.N (default 127.78.0.N, port 2222; every
# address of 127.0.0.0/8 is this machine) in front of Wine's cmd.exe, with a drive C:, registry, service manager and an
# AD sync client (two services) of its own. README.md says how far such a host is Windows.
#
# up      starts the hosts that are not running, returns when each answers, and writes into DIR (made where missing):
#           hosts.txt    N ADDRESS PORT HOSTNAME FINGERPRINT, a line a host; HOSTNAME is what `hostname` prints there
#           known_hosts  their keys          id_ed25519   the key of the login user `Administrator`, mode 0600
#           hosts/N/     the host's key, the number of its first process, what it said while it started (log), and c, a
#                        link to its drive C: as it is seen from here (root only)
#         --prefix auto: a prefix of DIR's own, so that several fleets can be up at once
#         --variant: a hook of deploy/demo/windows/variants, run in the host at its start
#         --host-key: ed25519 (default), ecdsa or rsa
#         The part common to all hosts (700 MB) is made once, in build/windows, or in the folder that the environment
#         variable CUTOVER_WINDOWS_TEMPLATE names.
# down    ends the hosts and removes what `up` wrote into DIR; no process, no mount is left. All changes are gone.
# exec    runs a line in host N as an exec request of SSH would, without SSH; the exit status is the line's, its low 8 bits.
# code    the same, and prints the line's exit code, all 32 bits, as the last line.
# session the request in the environment variable SSH_ORIGINAL_COMMAND, for servers of tests: a line as for exec, or
#         sftp-server.exe. The file that WINHOST_CODE_FILE names gets the exit code, all 32 bits.
# show    what a test needs of host N, a line each, to be read by a shell: address, port, user, key, known_hosts, pin,
#         name, drive (the folder that is its C:).
# status  N ADDRESS PORT HOSTNAME up|down VARIANTS, a line a host; exits 1 when one is down.
#
# Needs root, overlayfs, and the packages of deploy/deps.sh --windows. Exits 2 on wrong usage, 1 on failure.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
me=winhosts.sh tag_word=cutover-windows-host init=$here/host-init.sh hooks=$here/variants name_format=WIN-SYNC-%02d
net=127.78.0 auto_octet=128 patience_s=180
template=${CUTOVER_WINDOWS_TEMPLATE:-$here/../../../build/windows}
. "$here/../lib.sh"

# Says at once what would otherwise be N hosts failing for the same reason.
check_machine() {
	local tool
	for tool in sshd unshare nsenter setpriv ssh-keygen x86_64-w64-mingw32-gcc /usr/lib/wine/wine64; do
		PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null ||
			die "$tool is missing: run $(realpath -m "$here/../../deps.sh") --windows"
	done
	unshare -m -u -i -p -f mount -t tmpfs none /sys ||
		die "this machine does not let root make namespaces and mounts (in a container: start it with --privileged)"
}

make_common() {
	local made
	made=$("$here/template.sh" "$template")
	ln -sfnT "$made" "$dir/template"
}

enter_host() {
	nsenter -t "$1" -m -u -i -p -r -w env -i "${@:2}"
}

restart_sshd() {
	if ! answers "$prefix.$1" "$port"; then
		enter_host "$2" /bin/sh -c 'kill -9 $(cat /run/sshd.pid) 2>/dev/null; exec /usr/sbin/sshd -E /run/sshd.log'
		started+=("$1:$2")
	fi
}

# Sets `pid`.
need_host() {
	is_number "$1" || usage "\"$1\" is no number of a host"
	host_pid "$1" || die "host $1 of $dir is not up"
}

cmd_exec() {
	[ $# = 3 ] || usage "exec: give DIR, the host's number and a line for cmd.exe"
	use_dir "$1"
	local pid
	need_host "$2"
	enter_host "$pid" SSH_ORIGINAL_COMMAND="$3" /run/winhost/session
}

# run_request N REQUEST: sets `code` to all 32 bits of its exit code, or to nothing where there is none.
run_request() {
	local pid file=code-$$.txt
	need_host "$1"
	enter_host "$pid" SSH_ORIGINAL_COMMAND="$2" SSH_RC_FILE="C:\\windows\\temp\\$file" /run/winhost/session || true
	code=
	file=$dir/hosts/$1/c/windows/temp/$file
	[ ! -f "$file" ] || read -r code <"$file"
	rm -f "$file"
}

cmd_code() {
	[ $# = 3 ] || usage "code: give DIR, the host's number and a line for cmd.exe"
	use_dir "$1"
	local code
	run_request "$2" "$3"
	[ -n "$code" ] || die "the line has ended without an exit code"
	echo "$code"
}

cmd_session() {
	[ $# = 2 ] || usage "session: give DIR and the host's number"
	use_dir "$1"
	local code
	run_request "$2" "${SSH_ORIGINAL_COMMAND:-}"
	[ -z "${WINHOST_CODE_FILE:-}" ] || echo "$code" >"$WINHOST_CODE_FILE"
}

cmd_show() {
	[ $# = 2 ] || usage "show: give DIR and the host's number"
	use_dir "$1"
	local pid n address port name pin
	need_host "$2"
	read -r n address port name pin < <(grep "^$2 " "$dir/hosts.txt")
	printf '%s=%q\n' address "$address" port "$port" user Administrator key "$dir/id_ed25519" \
		known_hosts "$dir/known_hosts" pin "$pin" name "$name" drive "$dir/hosts/$n/c"
}

fleet_main "$@"
