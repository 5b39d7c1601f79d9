# shellcheck shell=sh
# Windows hosts (deploy/demo/windows) for shell tests; sourced behind lib/tap.sh. Needs root and $work.
#
#     winhost_possible || { skip 'Windows hosts' "$winhost_why_not"; finish; }
#     winhost_up 2 --variant 2=japanese   two hosts, in $work/windows; a check of its own
#     winhost_ssh 1 'sc query X'          a line by ssh, as the migration's; the exit status is the low 8 bits
#     winhost_code 1 'sc query X'         prints the line's exit code, all 32 bits; without ssh
#     winhost_state 1 KEY                 prints the number of a service's state (1 stopped … 4 running)
#     winhost_becomes NAME 1 KEY STATE    waits for it; a check
#     winhost_control 1 'KEY WORD' …      the service's control file (service/PluginService.c says what can be in it)
#     winhost_log 1                       what the services say they did, without times: KEY start, KEY config …
#     winhost_down                        also at the end, if the test's cleanup calls it
#
# $win_client is the client's folder below a host's drive, winhost_drive 1 that drive's folder.

# work: tap.sh's.
# shellcheck disable=SC2154
winhost_dir=$work/windows
winhost_command=$(cd "$(dirname "$0")" && until [ -d deploy/demo ] || [ "$PWD" = / ]; do cd ..; done && pwd)
winhost_command=$winhost_command/deploy/demo/windows/winhosts.sh
win_client='Program Files (x86)/Trend Micro/Hosted Email Security ActiveDirectory Sync Client'
# Tests use it.
# shellcheck disable=SC2034
win_agent=ImhsAdSyncAgent win_service=ImhsAdSyncService

# Else $winhost_why_not says why they are not.
winhost_possible() {
	winhost_why_not=
	if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
		winhost_why_not='needs root, and a machine that lets it make namespaces'
	elif [ ! -x /usr/lib/wine/wine64 ] || ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
		winhost_why_not='Wine or its compiler is not here (deploy/deps.sh --windows installs them)'
	fi
	[ -z "$winhost_why_not" ]
}

winhost_up() {
	ok "$1 Windows hosts come up" "$winhost_command" up "$winhost_dir" "$@" --prefix auto
}

winhost_down() {
	"$winhost_command" down "$winhost_dir"
}

winhost_exec() {
	"$winhost_command" exec "$winhost_dir" "$@" </dev/null
}

# What the line says goes to stderr.
winhost_code() {
	"$winhost_command" code "$winhost_dir" "$@" </dev/null | sed -u '$!{w /dev/stderr
		d}'
}

winhost_drive() {
	echo "$winhost_dir/hosts/$1/c"
}

winhost_ssh() {
	winhost_place=$(sed -n "$1s/^[0-9]* \([^ ]*\) \([^ ]*\) .*/-p \2 Administrator@\1/p" "$winhost_dir/hosts.txt")
	shift
	# Unquoted: two words.
	# shellcheck disable=SC2086
	timeout -k 5 120 ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o LogLevel=ERROR \
		-o UserKnownHostsFile="$winhost_dir/known_hosts" -i "$winhost_dir/id_ed25519" $winhost_place "$@"
}

# winhost_sftp HOST: commands of OpenSSH's sftp from stdin.
winhost_sftp() {
	winhost_place=$(sed -n "$1s/^[0-9]* \([^ ]*\) \([^ ]*\) .*/-P \2 Administrator@\1/p" "$winhost_dir/hosts.txt")
	# shellcheck disable=SC2086
	timeout -k 5 120 sftp -F none -q -b - -o BatchMode=yes -o StrictHostKeyChecking=yes -o LogLevel=ERROR \
		-o UserKnownHostsFile="$winhost_dir/known_hosts" -i "$winhost_dir/id_ed25519" $winhost_place
}

winhost_state() {
	winhost_exec "$1" "sc.exe query $2" | sed -n 's/^ *STATE *: \([0-9]*\).*/\1/p'
}

winhost_is_state() {
	[ "$(winhost_state "$1" "$2")" = "$3" ]
}

winhost_becomes() {
	winhost_name=$1
	shift
	wait_until "$winhost_name" 60 winhost_is_state "$@"
}

winhost_control() {
	winhost_to=$(winhost_drive "$1")/$win_client/PluginService.exe.control
	shift
	[ $# -gt 0 ] || set -- ''
	printf '%s\r\n' "$@" >"$winhost_to"
}

winhost_log() {
	sed 's/^[^ ]* //; s/\r$//; s/ pid .*//' "$(winhost_drive "$1")/$win_client/PluginService.exe.log"
}
