#!/bin/sh
# The transport through bastions that are real sshds: one, two in a row, also in network namespaces where each machine
# is reached from the one before it only; commands as connections; who is told what when a login or a connection fails.
# Needs root (mount and network namespaces). Leaves nothing behind.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
command -v socat >/dev/null || { echo "SKIP all: no socat (deploy/deps.sh --tests)"; exit 0; }

most_kb=40000
if ldd "$probe_bin" | grep -q asan; then most_kb=100000; fi

of() { grep "^[a-z0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }
total_clean() { out_has "$1: nothing is left" 'handles=none fds=none'; }
# logins PORT: how often somebody was logged in there; tries PORT: connections
logins() { grep -c 'Accepted publickey' "$sshd_root/log.$1" || true; }
tries() { grep -c '^Connection from' "$sshd_root/log.$1" || true; }

sshd_start; b1=$port
sshd_start; b2=$port
sshd_start 'AllowTcpForwarding no'; forbids=$port
SSHD_KEYSET=host2 sshd_start; other=$port other_pin=$pin
sshd_start; target=$port
via1="--via tsudo@127.0.0.1:$b1,pin=$pin"
via2="--via tnosudo@127.0.0.1:$b2,pin=$pin"

# through ARGUMENTS…: the target's port is known, the ways to it are options
through() { run "$probe_bin" --user tbash --key "$keys/id_ed25519" --pin "$pin" --port "$target" "$@"; }

# --- one, and two in a row
# shellcheck disable=SC2086
through $via1 127.0.0.1 -- 'exec:echo out; exit 9' 'exec,cap=3000000:head -c 3000000 /dev/zero' get:/etc/passwd
is 'one bastion: a command' "$(result 0)" 'ok 1 9'
is 'one bastion: much output' "$(field 1 err) $(field 1 out)" 'ok 3000000'
is 'one bastion: a file' "$(result 2)" 'ok 1 0'
total_clean 'one bastion'
# shellcheck disable=SC2086
through $via1 $via2 localhost -- 'exec:exit 9'
is 'two bastions' "$(field 0 err) $(field 0 exit)" 'ok 9'
total_clean 'two bastions'
ok 'both were logged into' test "$(logins "$b1")" -ge 2 -a "$(logins "$b2")" -ge 1

# --- a login serves all
before=$(logins "$b1")
# shellcheck disable=SC2086
through $via1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 127.0.0.1 -- exec:true
out_has 'ten hosts' 'opened=10 failed=0 ops_ok=10'
ok 'few logins serve them' test $(($(logins "$b1") - before)) -le 4
total_clean 'ten hosts'

# --- commands
through --via-command "socat - TCP:%h:%p" 127.0.0.1 -- 'exec:exit 9'
is 'a command' "$(field 0 err) $(field 0 exit)" 'ok 9'
total_clean 'a command'
through --via-command "echo a reason >&2; exit 7" 127.0.0.1
out_has 'a command that exits' 'open err=closed'
out_has 'its code and its words' 'exited with 7 and said "a reason"'
total_clean 'a command that exits'
through --budget banner=500 --budget connect=500 --via-command "sleep 4720 & sleep 4720" 127.0.0.1
out_has 'a command that does nothing' 'open err=timeout'
total_clean 'a command that does nothing'
is 'its processes are gone' "$(pgrep -c -x -f 'sleep 4720' || true)" 0
through --via-command "socat - TCP:%h:%x" 127.0.0.1
out_has 'an unknown %-sign' 'open err=invalid'

# --- forbidden, unreachable, refused
# shellcheck disable=SC2086
through --via "tsudo@127.0.0.1:$forbids,pin=$pin" 127.0.0.1 127.0.0.2 127.0.0.3
is 'AllowTcpForwarding no: one reason for all' "$(sed -n 's/.* open err=.*text="[0-9.]*: //p' "$out" | sort | uniq -c | tr -s ' ' | cut -d ' ' -f 2)" 3
out_has 'AllowTcpForwarding no' 'open err=forwarding'
out_has 'it names the bastion, and no target' 'bastion b1: allows none of the connections it was asked for (administratively prohibited); see AllowTcpForwarding'
# shellcheck disable=SC2086
through $via1 --port 1 127.0.0.1
out_has 'the target refuses' 'open err=unreachable'
out_has 'it names the bastion that says so' 'bastion b1: 127.0.0.1 port 1'
before=$(tries "$b1")
through --via "tnologin@127.0.0.1:$b1,pin=$pin,key=$keys/other" 127.0.0.1 127.0.0.2 127.0.0.3
is 'the bastion refuses the login: each is told' "$(grep -c 'open err=bastion text="127.0.0.[123]: bastion b1: the login as tnologin' "$out")" 3
is 'and it was tried once' $(($(tries "$b1") - before)) 1
total_clean 'the bastion refuses the login'
through --via "tsudo@127.0.0.1:$b1,pin=$other_pin" 127.0.0.1
out_has "the bastion's host key is another one" 'open err=bastion'
out_has 'it says so' 'host key mismatch'
# shellcheck disable=SC2086
through $via1 --port "$other" 127.0.0.1
out_has "the target's host key is another one" 'open err=host-key'
through --via "tsudo@127.0.0.1:1,pin=$pin" 127.0.0.1 127.0.0.2
is 'the bastion is down: each is told' "$(grep -c 'open err=refused text="127.0.0.[12]: bastion b1: cannot connect' "$out")" 2

# --- bounds of an sshd that are not ours
sshd_start 'MaxSessions 0'; no_sessions=$port
through --via "tsudo@127.0.0.1:$no_sessions,pin=$pin" 127.0.0.1 -- 'exec:exit 9'
is 'a bastion that allows forwarding only' "$(field 0 err) $(field 0 exit)" 'ok 9'
sshd_start "PermitOpen 127.0.0.1:$target"; permits=$port
through --via "tsudo@127.0.0.1:$permits,pin=$pin" 127.0.0.1 -- 'exec:exit 9'
is 'PermitOpen: allowed' "$(field 0 err) $(field 0 exit)" 'ok 9'
through --via "tsudo@127.0.0.1:$permits,pin=$pin" --port "$other" 127.0.0.1
out_has 'PermitOpen: not allowed' 'open err=forwarding'
# Two connections that do not log in, and there is no room for a third.
sshd_start 'MaxStartups 2'; full=$port
perl -MIO::Socket::INET -e 'my @s;
	while (@s < 2) {
		my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die;
		sysread($s, my $line, 100);
		push @s, $s if $line =~ /^SSH-/;
	}
	$| = 1; print "there\n"; sleep 60' "$full" >"$work/there" &
holder=$!
wait_until 'two others are logging in' 20 test -s "$work/there"
through --log info --via "tsudo@127.0.0.1:$full,pin=$pin" 127.0.0.1 127.0.0.2
is 'MaxStartups: each is told' "$(grep -c 'open err=closed text="127.0.0.[12]: bastion b1: .*MaxStartups' "$out")" 2
err_has 'MaxStartups: half of it from now on' 'closed a connection before the login was done; 4 connections at once from now on'
is 'MaxStartups: it was tried once' "$(grep -c 'past MaxStartups' "$sshd_root/log.$full")" 1
kill "$holder"

# --- a descriptor to somewhere else
head -c 3000000 /dev/urandom >"$work/bytes"
sha=$(sha256sum <"$work/bytes" | cut -d ' ' -f 1)
echo_port=$(free_port)
socat "TCP-LISTEN:$echo_port,bind=127.0.0.1,fork,reuseaddr" EXEC:cat 2>/dev/null &
echo_pid=$!
wait_until 'the echo listens' 20 perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0])' "$echo_port"
# shellcheck disable=SC2086
through $via1 --tunnel "127.0.0.1:$echo_port" --input "$work/bytes"
out_has 'a tunnel: three megabytes there and back' "tunnel err=ok sent=3000000 got=3000000 sha256=$sha"
total_clean 'a tunnel'
# shellcheck disable=SC2086
through $via1 $via2 --slow-reader 3 --tunnel "127.0.0.1:$echo_port" --input "$work/bytes"
out_has 'a tunnel whose reader is slow, two bastions' "tunnel err=ok sent=3000000 got=3000000 sha256=$sha"
ok 'what waits is bounded' test "$(sed -n 's/.*rss_kb=//p' "$out")" -lt $most_kb
total_clean 'a slow tunnel'
kill "$echo_pid"
# What one side has ended, the other may still answer.
answer_port=$(free_port)
socat "TCP-LISTEN:$answer_port,bind=127.0.0.1,fork,reuseaddr" SYSTEM:'wc -c; echo bye' 2>/dev/null &
echo_pid=$!
wait_until 'the other one listens' 20 perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0])' "$answer_port"
# shellcheck disable=SC2086
through $via1 --show --tunnel "127.0.0.1:$answer_port" --input "$work/bytes"
out_has 'half-close: the count of what came' 'got: 3000000'
out_has 'half-close: and more' 'bye'
kill "$echo_pid"
# shellcheck disable=SC2086
through $via1 --tunnel "127.0.0.1:1" --input "$work/bytes"
out_has 'a tunnel to where nobody listens' 'tunnel err=unreachable'
total_clean 'no tunnel'

# --- networks of their own: we see b1, b1 sees b2, b2 sees the host
nets=
net_up() {
	for net in b1 b2 host; do ip netns add "ct$$$net" && nets="$nets ct$$$net"; done
	ip link add "ct$$a" type veth peer name eth0 netns "ct$$b1" && ip addr add 10.231.1.1/30 dev "ct$$a" && ip link set "ct$$a" up &&
		ip -n "ct$$b1" link add eth1 type veth peer name eth0 netns "ct$$b2" &&
		ip -n "ct$$b2" link add eth1 type veth peer name eth0 netns "ct$$host" || return 1
	for one in b1:eth0:10.231.1.2 b1:eth1:10.231.2.1 b2:eth0:10.231.2.2 b2:eth1:10.231.3.1 host:eth0:10.231.3.2; do
		dev=${one#*:}
		ip -n "ct$$${one%%:*}" addr add "${dev#*:}/30" dev "${dev%:*}" && ip -n "ct$$${one%%:*}" link set "${dev%:*}" up &&
			ip -n "ct$$${one%%:*}" link set lo up || return 1
	done
}
net_down() {
	for net in $nets; do ip netns del "$net" 2>/dev/null || true; done
	ip link del "ct$$a" 2>/dev/null || true
}
cleanup() { transport_cleanup; net_down; }
if command -v ip >/dev/null && net_up 2>"$work/net.err"; then
	SSHD_NETNS=ct$$b1 SSHD_LISTEN=10.231.1.2 sshd_start; n1=$port
	SSHD_NETNS=ct$$b2 SSHD_LISTEN=10.231.2.2 sshd_start; n2=$port
	SSHD_NETNS=ct$$host SSHD_LISTEN=10.231.3.2 sshd_start; nhost=$port
	chain="--via tsudo@10.231.1.2:$n1,pin=$pin --via tnosudo@10.231.2.2:$n2,pin=$pin"
	through --port "$nhost" --budget connect=1000 10.231.3.2
	out_has 'namespaces: not from here' 'open err=unreachable'
	# shellcheck disable=SC2086
	through --port "$nhost" $chain 10.231.3.2 -- 'exec:exit 9' get:/etc/passwd
	is 'namespaces: two in a row' "$(field 0 err) $(field 0 exit) $(field 1 err)" 'ok 9 ok'
	# shellcheck disable=SC2086
	through --port "$nhost" --via "tsudo@10.231.1.2:$n1,pin=$pin" --budget connect=2000 10.231.3.2
	out_has 'namespaces: the first one does not see it' 'open err=unreachable text="10.231.3.2: bastion b1: 10.231.3.2 port'
	# shellcheck disable=SC2086
	through --port 1 $chain 10.231.3.2
	out_has 'namespaces: refused behind the second' 'text="10.231.3.2: bastion b2: 10.231.3.2 port 1: cannot connect'
	# shellcheck disable=SC2086
	through --port "$nhost" --via "tsudo@10.231.1.2:$n1,pin=$pin" --via "tnosudo@10.231.2.2:1,pin=$pin" 10.231.3.2
	out_has 'namespaces: the second is down, as the first says' 'open err=unreachable text="10.231.3.2: bastion b2: bastion b1: 10.231.2.2 port 1: cannot connect'
	through --port "$nhost" --via-command "ip netns exec ct$$b2 socat - TCP:%h:%p" 10.231.3.2 -- 'exec:exit 9'
	is 'namespaces: a command' "$(field 0 err) $(field 0 exit)" 'ok 9'
	# A target that is silent, as one behind a firewall is: no one else waits for it. Its frames go to no machine.
	ip -n "ct$$b2" neigh add 10.231.3.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
	ip -n "ct$$b2" route add 10.231.3.9/32 dev eth1
	live=$(seq 12 | sed 's,.*,10.231.3.2,')
	# shellcheck disable=SC2086
	through --port "$nhost" $chain $live -- 'exec:exit 0'
	alone_ms=$(sed -n 's/.*wall_ms=\([0-9]*\).*/\1/p' "$out")
	began=$(date +%s%N)
	# shellcheck disable=SC2086
	"$probe_bin" --user tbash --key "$keys/id_ed25519" --pin "$pin" --port "$nhost" $chain --budget connect=60000 \
		10.231.3.9 $live -- 'exec:exit 0' >"$out" 2>"$err" &
	probe_pid=$!
	all_live() { [ "$(grep -c '^10.231.3.2 0 err=ok' "$out")" = 12 ]; }
	wait_until 'namespaces: a silent target: the twelve others are served' 50 all_live
	echo "namespaces: a silent target: the others took $((($(date +%s%N) - began) / 1000000)) ms, without it $alone_ms"
	not_ok 'namespaces: while it is waited for' grep -q '^10.231.3.9 open' "$out"
	kill "$probe_pid"
	wait "$probe_pid" 2>/dev/null || true
	# The machine in between goes away in mid-run: what ran may have begun, and whose fault it was is said.
	# shellcheck disable=SC2086
	"$probe_bin" --keepalive 1 --user tbash --key "$keys/id_ed25519" --pin "$pin" --port "$nhost" $chain 10.231.3.2 -- \
		'exec,t=60000:sleep 50' >"$out" 2>"$err" &
	probe_pid=$!
	wait_until 'namespaces: it runs' 20 grep -q 'open err=ok' "$out"
	ip -n "ct$$b1" link set eth1 down
	wait "$probe_pid" || true
	out_has 'namespaces: a cable is pulled' '0 err=closed started=1'
	out_has 'namespaces: whose it was' 'bastion b2: no answer to keepalives'
	total_clean 'namespaces'
else
	skip 'namespaces' "network namespaces cannot be made: $(head -n 1 "$work/net.err")"
fi
finish
