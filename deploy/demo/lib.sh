# shellcheck shell=bash
# What the fleets of demo hosts have in common (fleet.sh: Linux; windows/winhosts.sh: Windows); sourced by them. A fleet is
# a folder with its settings, keys and lists, and a tree of processes a host, known by an argument that no other has.
#
# The caller sets
#   me           its name in messages
#   tag_word     what its hosts' processes are known by; DIR is added
#   init         the program that becomes a host's first process, called with TAG N DIR ADDRESS PORT NAME VARIANTS
#   hooks        the folder of its variants
#   name_format  a host's name, printf's, of N
#   net          the fleet's network without --prefix, 127.B.C
#   auto_octet   --prefix auto takes B from the 64 numbers from there on
#   patience_s   how long a host may take until it answers
# and defines check_machine (dies where something is missing), make_common (what the hosts need, before the first one is
# started), restart_sshd N PID (a host that runs: adds N:PID to `started` where its sshd had to be started), cmd_exec, and
# cmd_NAME for each command beside those of all. Then it calls fleet_main with its arguments.
#
# shellcheck disable=SC2154 # those are the caller's

die() {
	echo "$me: $*" >&2
	exit 1
}

usage() {
	[ $# = 0 ] || echo "$me: $*" >&2
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 2
}

is_number() {
	[[ $1 =~ ^[1-9][0-9]{0,4}$ ]]
}

# A host's processes are known by an argument that no other has: TAG, which holds DIR.
use_dir() {
	dir=$(realpath -m "$1")
	tag=$tag_word:$dir
}

# Sets `pid` to the first process of host N as seen from here. The number on file may be another process's by now.
host_pid() {
	local words word
	{ read -r pid <"$dir/hosts/$1/pid" && mapfile -d '' -t words <"/proc/$pid/cmdline"; } 2>/dev/null || return 1
	for word in "${words[@]}"; do
		[ "$word" != "$tag" ] || return 0
	done
	return 1
}

# All processes of this fleet, also those of hosts whose files are gone. The pattern is read from a descriptor so that
# grep's own arguments do not hold it.
fleet_pids() {
	{ grep -lszxF -f <(echo "$tag") /proc/[0-9]*/cmdline || true; } | cut -d/ -f3
}

# What `up` was told, so that a second `up` goes on with the same fleet.
load_settings() {
	[ -f "$dir/fleet.conf" ] || die "$dir holds no fleet (no fleet.conf in it): $me up $dir N"
	count='' port='' prefix='' variants=() key_types=()
	local word a b
	while read -r word a b; do
		case $word in
		count) count=$a ;;
		port) port=$a ;;
		prefix) prefix=$a ;;
		variant) variants[a]=$b ;;
		host-key) key_types[a]=$b ;;
		esac
	done <"$dir/fleet.conf"
}

print_settings() {
	local n
	printf 'count %s\nport %s\nprefix %s\n' "$count" "$port" "$prefix"
	for n in "${!variants[@]}"; do
		echo "variant $n ${variants[n]}"
	done
	for n in "${!key_types[@]}"; do
		echo "host-key $n ${key_types[n]}"
	done
}

# N=VALUE, N within the fleet; sets n and value.
split_option() {
	n=${2%%=*} value=${2#*=}
	if ! is_number "$n" || ((n > count)) || [ "$value" = "$2" ]; then
		usage "$1 $2: give HOST=VALUE, HOST from 1 to $count"
	fi
}

parse_up() {
	is_number "$1" || usage "up: \"$1\" is no number of hosts"
	count=$1 port=2222 prefix=$net variants=() key_types=()
	((count <= 254)) || usage "up: at most 254 hosts"
	shift
	local n value name
	while [ $# -ge 2 ]; do
		case $1 in
		--port)
			is_number "$2" || usage "--port $2: not a port"
			(($2 <= 65535)) || usage "--port $2: not a port"
			port=$2
			;;
		--prefix)
			prefix=$2
			[ "$2" = auto ] && prefix=$(auto_prefix)
			[[ $prefix =~ ^127\.[0-9]{1,3}\.[0-9]{1,3}$ ]] || usage "--prefix $2: give 127.B.C or auto"
			;;
		--variant)
			split_option "$1" "$2"
			for name in ${value//,/ }; do
				[ -f "$hooks/$name.sh" ] || usage "--variant $2: there is no $hooks/$name.sh"
			done
			variants[n]=$value
			;;
		--host-key)
			split_option "$1" "$2"
			case $value in
			ed25519 | ecdsa | rsa) key_types[n]=$value ;;
			*) usage "--host-key $2: ed25519, ecdsa or rsa" ;;
			esac
			;;
		*) usage "up: unknown option $1" ;;
		esac
		shift 2
	done
	[ $# = 0 ] || usage "up: $1 needs a value"
}

# Two folders rarely get the same of the 16,000 prefixes; where they do, `up` says that the port is taken.
auto_prefix() {
	local sum
	sum=$(printf %s "$dir" | cksum | cut -d' ' -f1)
	echo "127.$((auto_octet + sum % 64)).$((sum / 64 % 256))"
}

# Sets `name`. Here and below variables are set, and not printed and caught: a process a host is worth saving.
host_name() {
	# shellcheck disable=SC2059
	printf -v name "$name_format" "$1"
}

# Does anything answer at this address? Bash's own connect; sshd's first line proves that it is an sshd.
answers() {
	local line
	{ read -r -t 2 line <"/dev/tcp/$1/$2"; } 2>/dev/null && [[ $line == SSH-2.0-* ]]
}

# The new host must hold no descriptor of the caller's: whoever waits for the end of a pipe would wait for the fleet.
start_host() {
	local n=$1 state=$dir/hosts/$1 fd name
	host_name "$n"
	if [ ! -f "$state/ssh_host_key" ]; then
		mkdir -p "$state"
		ssh-keygen -q -t "${key_types[n]:-ed25519}" -N '' -C "$name" -f "$state/ssh_host_key" </dev/null
	fi
	(
		for fd in /proc/self/fd/*; do
			fd=${fd##*/}
			if ((fd > 2)); then
				{ exec {fd}>&-; } 2>/dev/null
			fi
		done
		exec setsid env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			unshare -m -u -i -p -f --kill-child \
			"$init" "$tag" "$n" "$dir" "$prefix.$n" "$port" "$name" "${variants[n]:-}"
	) </dev/null >"$state/log" 2>&1 &
	started+=("$n:$!")
}

# Until each host that was started answers; one whose process is gone will not.
wait_for_hosts() {
	local entry n deadline=$((SECONDS + patience_s))
	for entry in "${started[@]}"; do
		n=${entry%%:*}
		until answers "$prefix.$n" "$port"; do
			if ! kill -0 "${entry##*:}" 2>/dev/null; then
				die "host $n did not start: $(tail -n 3 "$dir/hosts/$n/log")"
			fi
			((SECONDS < deadline)) || die "host $n does not answer at $prefix.$n port $port after $patience_s s:" \
				"$(tail -n 3 "$dir/hosts/$n/log")"
			sleep 0.05
		done
	done
}

write_lists() {
	local n type key place print name
	for ((n = 1; n <= count; n++)); do
		place=$prefix.$n
		((port == 22)) || place="[$place]:$port"
		read -r type key _ <"$dir/hosts/$n/ssh_host_key.pub"
		echo "$place $type $key"
	done >"$dir/known_hosts.new"
	n=0
	while read -r _ print _; do
		n=$((n + 1))
		host_name $n
		echo "$n $prefix.$n $port $name $print"
	done < <(ssh-keygen -l -f "$dir/known_hosts.new") >"$dir/hosts.txt.new"
	((n == count)) || die "ssh-keygen read $n of $count keys in $dir/known_hosts.new"
	mv "$dir/known_hosts.new" "$dir/known_hosts"
	mv "$dir/hosts.txt.new" "$dir/hosts.txt"
}

prepare_dir() {
	mkdir -p "$dir"
	exec 9>"$dir/fleet.lock"
	flock -w 120 9 || die "another $me is at work on $dir"
	if [ -n "$(fleet_pids)" ] && [ "$(print_settings)" != "$(cat "$dir/fleet.conf" 2>/dev/null)" ]; then
		die "another fleet is up in $dir, with other settings; end it first: $0 down $dir"
	fi
	if [ "$(print_settings)" != "$(cat "$dir/fleet.conf" 2>/dev/null)" ]; then
		rm -rf "$dir/hosts"
		print_settings >"$dir/fleet.conf"
	fi
	[ -f "$dir/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C cutover -f "$dir/id_ed25519" </dev/null
}

cmd_up() {
	[ $# -ge 2 ] || usage "up: give DIR and the number of hosts"
	use_dir "$1"
	shift
	parse_up "$@"
	check_machine
	prepare_dir
	local n pid ready=
	started=()
	for ((n = 1; n <= count; n++)); do
		if host_pid "$n"; then
			restart_sshd "$n" "$pid"
			continue
		fi
		! answers "$prefix.$n" "$port" ||
			die "$prefix.$n port $port is taken (another fleet?): end that one, or give --prefix or --port"
		[ -n "$ready" ] || make_common
		ready=1
		start_host "$n"
	done
	wait_for_hosts
	write_lists
	echo "$me: $count hosts up, ${#started[@]} started now, in $dir" >&2
}

cmd_down() {
	[ $# = 1 ] || usage "down: give DIR"
	use_dir "$1"
	local pids deadline=$((SECONDS + 30))
	# Killing the parent of a host's first process kills that, and the kernel then everything in its namespace.
	while pids=$(fleet_pids) && [ -n "$pids" ]; do
		((SECONDS < deadline)) || die "these processes of the fleet do not end: ${pids//$'\n'/ }"
		# Unquoted: one argument a process. Some may be gone by now.
		# shellcheck disable=SC2086
		kill -9 $pids 2>/dev/null || true
		sleep 0.05
	done
	rm -rf "$dir/hosts" "$dir/base"
	rm -f "$dir"/{template,fleet.conf,fleet.lock,hosts.txt,known_hosts,id_ed25519,id_ed25519.pub}
	[ ! -d "$dir" ] || rmdir --ignore-fail-on-non-empty "$dir"
}

cmd_status() {
	[ $# = 1 ] || usage "status: give DIR"
	use_dir "$1"
	load_settings
	local n pid name state failed=0
	for ((n = 1; n <= count; n++)); do
		state=up
		if ! host_pid "$n" || ! answers "$prefix.$n" "$port"; then
			state=down failed=1
		fi
		host_name "$n"
		echo "$n $prefix.$n $port $name $state ${variants[n]:-}"
	done
	return $failed
}

fleet_main() {
	[ $# -ge 1 ] || usage
	local command=$1
	shift
	declare -F "cmd_$command" >/dev/null || usage "unknown command $command"
	[ "$(id -u)" = 0 ] || die "needs root (it makes namespaces and mounts)"
	"cmd_$command" "$@"
}
