# shellcheck shell=sh
# Bastions for the shell tests: OpenSSH's sshd on an address of 127.0.0.0/8, root's login by a key; sourced behind
# lib/tap.sh. Needs root and $work.
#
#     bastion_up NAME ADDRESS KEY.PUB [LINE]…  sets bastion_port; its host key's fingerprint: bastion_pin NAME. LINE: of its
#                                           sshd_config, before all others
#     bastions_down                         also at the end, if the test's cleanup calls it

# work: tap.sh's.
# shellcheck disable=SC2154
bastions_pids=

bastions_possible() {
	[ "$(id -u)" = 0 ] && [ -x /usr/sbin/sshd ] && unshare -m true 2>/dev/null
}

bastion_answers() { perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => "@ARGV")' "$1"; }

# In a mount namespace of its own, with a shell for root that reads no profile of this machine's.
bastion_up() {
	bastion_dir=$work/bastion-$1
	mkdir -p "$bastion_dir"
	chmod 755 "$work" "$bastion_dir"
	ssh-keygen -q -t ed25519 -N '' -f "$bastion_dir/host_key"
	cp "$3" "$bastion_dir/authorized_keys"
	bastion_port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => $ARGV[0])->sockport' "$2")
	bastion_name=$1 bastion_address=$2
	shift 3
	for bastion_line in "$@"; do echo "$bastion_line"; done >"$bastion_dir/config"
	cat >>"$bastion_dir/config" <<CONF
ListenAddress $bastion_address
Port $bastion_port
HostKey $bastion_dir/host_key
AuthorizedKeysFile $bastion_dir/authorized_keys
PidFile $bastion_dir/pid
PermitRootLogin yes
StrictModes no
UsePAM no
UseDNS no
MaxStartups 200
LogLevel VERBOSE
CONF
	# shellcheck disable=SC2016
	unshare -m sh -c 'sed "s,^\(root:.*:\)[^:]*$,\1/bin/sh," /etc/passwd >"$1/passwd"
		mount --bind "$1/passwd" /etc/passwd && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f "$1/config"' \
		sh "$bastion_dir" 2>"$bastion_dir/log" &
	bastions_pids="$bastions_pids $!"
	wait_until "bastion $bastion_name answers" 30 bastion_answers "$bastion_address:$bastion_port"
}

bastion_pin() { ssh-keygen -lf "$work/bastion-$1/host_key.pub" | cut -d ' ' -f 2; }

bastions_down() {
	for bastion_pid in $bastions_pids; do
		kill "$bastion_pid" 2>/dev/null || true
		wait "$bastion_pid" 2>/dev/null || true
	done
	bastions_pids=
}
