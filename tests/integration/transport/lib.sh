# shellcheck shell=sh
# A private sshd for the transport's tests; sourced after ../../lib/tap.sh.
#
# It runs in a mount namespace with a passwd, shadow, group and sudoers of its own, listens on 127.0.0.1 only, and leaves
# the machine's files as they are. Accounts: one a login shell (tdash, tbash, tzsh, tcsh, tfish, tbusybox, as far as the
# shells are here), tsudo (may do all by sudo -n), tnosudo (may not), tnologin, tnoisy (prints much at login). Each
# takes the keys in $keys: id_ed25519, id_ecdsa, id_ecdsa384, id_ecdsa521, id_rsa, id_rsa_pem.
#
#     sshd_start [LINE OF sshd_config]…	sets $port and $sshd_pid; again: another one. SSHD_NETNS: in that network
#					namespace; SSHD_LISTEN: at that address. $sshd_root/hosts, where it is there: what
#					it has for /etc/hosts
#     sshd_stop
#     probe ARGUMENTS…			run (tap.sh) transport_probe with user, key, port and pin filled in

# work, out: tap.sh's.
# shellcheck disable=SC2154
keys=$work/keys
sshd_root=$work/sshd
sshd_pids=
probe_bin=${CUTOVER_BUILD:?}/tests/integration/transport/transport_probe
probe_user=tdash
# Beside a thousand other sessions (many.sh) a login takes longer than a customer's host may.
patient='--budget banner=90000 --budget handshake=90000 --budget auth=90000 --budget shell=90000'
probe_key=$keys/id_ed25519

need_root() {
	[ "$(id -u)" = 0 ] || { echo "SKIP all: needs root (a mount namespace, accounts of its own)"; exit 0; }
	[ -x /usr/sbin/sshd ] || { echo "SKIP all: no sshd (deploy/deps.sh --tests)"; exit 0; }
}

make_keys() {
	mkdir -p "$keys"
	ssh-keygen -q -t ed25519 -N '' -C comment -f "$keys/id_ed25519"
	ssh-keygen -q -t ecdsa -b 256 -N '' -f "$keys/id_ecdsa"
	ssh-keygen -q -t ecdsa -b 384 -N '' -f "$keys/id_ecdsa384"
	ssh-keygen -q -t ecdsa -b 521 -N '' -f "$keys/id_ecdsa521"
	ssh-keygen -q -t rsa -b 2048 -N '' -f "$keys/id_rsa"
	ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f "$keys/id_rsa_pem"
	ssh-keygen -q -t ed25519 -N '' -f "$keys/other"
	for type in ed25519 ecdsa rsa; do
		ssh-keygen -q -t $type -N '' -f "$sshd_root/host_$type"
		ssh-keygen -q -t $type -N '' -f "$sshd_root/host2_$type"
	done
	cat "$keys"/id_*.pub >"$sshd_root/authorized_keys"
}

# add_user NAME UID SHELL
add_user() {
	home=$sshd_root/home/$1
	mkdir -p "$home"
	chown "$2:$2" "$home"
	echo "$1:x:$2:$2:$1:$home:$3" >>"$sshd_root/passwd"
	echo "$1:*:19000:0:99999:7:::" >>"$sshd_root/shadow"
	echo "$1:x:$2:" >>"$sshd_root/group"
}

make_users() {
	grep '^root:\|^nobody:\|^sshd:\|^daemon:' /etc/passwd >"$sshd_root/passwd"
	echo 'root:*:19000:0:99999:7:::' >"$sshd_root/shadow"
	cp /etc/group "$sshd_root/group"
	chmod 600 "$sshd_root/shadow"
	add_user tdash 61001 "$(command -v dash)"
	add_user tbash 61002 "$(command -v bash)"
	uid=61003
	for name in zsh csh fish; do
		if command -v $name >/dev/null; then add_user "t$name" $uid "$(command -v $name)"; fi
		uid=$((uid + 1))
	done
	add_user tsudo 61010 /bin/sh
	add_user tnosudo 61011 /bin/sh
	add_user tnologin 61012 /usr/sbin/nologin
	add_user tnoisy 61013 "$(command -v bash)"
	add_user tlocked 61014 /bin/sh
	# bash reads .bashrc when it is started by sshd.
	printf 'printf "\\nWelcome to noisy\\nno newline at the end: @"\nseq 1 2000\n' >"$sshd_root/home/tnoisy/.bashrc"
	printf 'Defaults use_pty\nroot ALL=(ALL) ALL\ntsudo ALL=(ALL) NOPASSWD: ALL\ntdash ALL=(ALL) ALL\n' >"$sshd_root/sudoers"
	chmod 440 "$sshd_root/sudoers"
}

free_port() {
	perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen=>1,LocalAddr=>"127.0.0.1")->sockport'
}

sshd_prepare() {
	mkdir -p "$sshd_root/home" "$sshd_root/empty"
	chmod 755 "$work" "$sshd_root" "$sshd_root/home" "$sshd_root/empty"
	make_keys
	make_users
}

sshd_start() {
	[ -d "$sshd_root" ] || sshd_prepare
	in_net=
	[ -z "${SSHD_NETNS-}" ] || in_net="ip netns exec $SSHD_NETNS"
	listen=${SSHD_LISTEN:-127.0.0.1}
	port=$(free_port)
	conf=$sshd_root/conf.$port
	hostkeys='ed25519 ecdsa rsa'
	[ -z "${SSHD_HOSTKEYS-}" ] || hostkeys=$SSHD_HOSTKEYS
	{
		# Lines that are given come first: in sshd_config the first one counts.
		for line in "$@"; do echo "$line"; done
		for type in $hostkeys; do echo "HostKey $sshd_root/${SSHD_KEYSET:-host}_$type"; done
		echo "Port $port"
		echo "ListenAddress $listen"
		echo 'UsePAM no'
		echo 'StrictModes no'
		echo "AuthorizedKeysFile $sshd_root/authorized_keys"
		echo "PidFile $sshd_root/pid.$port"
		# Here the last one counts.
		case "$*" in *MaxStartups*) ;; *) echo 'MaxStartups 200' ;; esac
		echo 'PermitRootLogin yes'
		echo 'UseDNS no'
		echo 'LogLevel VERBOSE'
	} >"$conf"
	# shellcheck disable=SC2016,SC2086
	$in_net unshare -m sh -c 'set -e; cd "$1"
		for f in passwd shadow group sudoers; do [ ! -e "/etc/$f" ] || mount --bind "$f" "/etc/$f"; done
		[ ! -e hosts ] || mount --bind hosts /etc/hosts
		[ -z "$3" ] || mount --bind "$3" /etc/pam.d/sshd
		mkdir -p /run/sshd; exec /usr/sbin/sshd -D -e -f "$2"' sh "$sshd_root" "$conf" "${SSHD_PAM-}" 2>"$sshd_root/log.$port" &
	sshd_pid=$!
	sshd_pids="$sshd_pids $sshd_pid"
	pin=$(ssh-keygen -lf "$sshd_root/${SSHD_KEYSET:-host}_${hostkeys%% *}.pub" | awk '{ print $2 }')
	tries=0
	# shellcheck disable=SC2086
	until $in_net perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new(PeerAddr=>$ARGV[0],PeerPort=>$ARGV[1])' "$listen" "$port"; do
		tries=$((tries + 1))
		if [ $tries -gt 200 ]; then
			echo "sshd does not come up:" >&2
			cat "$sshd_root/log.$port" >&2
			exit 1
		fi
		sleep 0.05
	done
}

sshd_stop() {
	for pid in $sshd_pids; do kill "$pid" 2>/dev/null || true; done
	sshd_pids=
}


probe() {
	# shellcheck disable=SC2086 # words
	run "$probe_bin" $patient --user "$probe_user" --key "$probe_key" --pin "$pin" --port "$port" "$@"
}

# --- the fleet server
#     fleet_begin FIRST COUNT	makes hosts; then edit $fleet_root/hosts.txt
#     fleet_up			starts it: $port
#     fleet_probe ARGUMENTS…	run transport_probe against it
fleet_root=$work/fleet
fleet_bin=$CUTOVER_BUILD/tests/fleet/fleet
fleet_pid=

fleet_begin() {
	mkdir -p "$keys"
	ssh-keygen -q -t ed25519 -N '' -f "$keys/id_ed25519"
	"$(dirname "$0")/../../fleet/prepare.sh" "$fleet_root" "$1" "$2"
}

fleet_up() {
	"$fleet_bin" --port 0 --root "$fleet_root" --hosts "$fleet_root/hosts.txt" --user-key "$keys/id_ed25519.pub" \
		--log "$work/fleet.log" 2>"$work/fleet.err" &
	fleet_pid=$!
	tries=0
	while [ ! -e "$fleet_root/ready" ]; do
		tries=$((tries + 1))
		if [ $tries -gt 600 ] || ! kill -0 "$fleet_pid" 2>/dev/null; then
			echo "the fleet server does not come up:" >&2
			cat "$work/fleet.err" >&2
			exit 1
		fi
		sleep 0.1
	done
	port=$(cat "$fleet_root/port")
}

fleet_probe() {
	run "$probe_bin" --user root --key "$keys/id_ed25519" --known-hosts "$fleet_root/known_hosts" --port "$port" "$@"
}

# --- a bastion that does something wrong, which its user's name chooses (bad_bastion.py)
#     bad_bastion_start	$bad_port, $bad_pin; its log is $work/bad.log
bad_bastion_pid=

bad_bastion_start() {
	/usr/bin/python3 "$(dirname "$0")/bad_bastion.py" "$sshd_root/host_ed25519" "$keys/id_ed25519.pub" "$work/bad.port" \
		"$work/bad.log" 2>"$work/bad.err" &
	bad_bastion_pid=$!
	wait_until 'the bad bastion listens' 30 test -s "$work/bad.port"
	# shellcheck disable=SC2034
	bad_port=$(cat "$work/bad.port")
	# shellcheck disable=SC2034
	bad_pin=$(ssh-keygen -lf "$sshd_root/host_ed25519.pub" | awk '{ print $2 }')
}

# Folders of the accounts' shells. One that is killed with its sshd leaves its own: that is no fault, and goes with the test.
left_in_tmp() { find /tmp /var/tmp -maxdepth 1 -name '.cutover.*' -uid +61000 -uid -61100 2>/dev/null; }

# A test that starts more has a cleanup of its own, which calls this.
transport_cleanup() {
	sshd_stop
	[ ! -d "$sshd_root" ] || left_in_tmp | xargs -r rm -rf
	[ -z "$bad_bastion_pid" ] || kill "$bad_bastion_pid" 2>/dev/null || true
	if [ -n "$fleet_pid" ]; then
		kill "$fleet_pid" 2>/dev/null || true
		wait "$fleet_pid" 2>/dev/null || true
	fi
}
cleanup() { transport_cleanup; }
