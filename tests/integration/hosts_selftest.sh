#!/bin/bash
# tests/integration/hosts_selftest.sh
#
# The demo fleet itself (deploy/demo) does what other tests rely on: hosts that are apart from each other and from this
# machine, real sshd, sudo, cron and ruby in them, each variant, a clean end. Uses OpenSSH's own client, not cutover.
#
# Needs root and the packages of deploy/deps.sh --demo. Leaves nothing: no process, mount or file.
# Last line: N passed, N failed.
set -euo pipefail

root=$(realpath "$(dirname "$0")/../..")
fleet=$root/deploy/demo/fleet.sh
work=$(mktemp -d)
passed=0 failed=0

clean_up() {
	"$fleet" down "$work/plain" || true
	"$fleet" down "$work/variants" || true
	rm -rf "$work"
}
trap clean_up EXIT

# check NAME COMMAND...: the command must succeed.
check() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n  %s\n%s\n' "$name" "$*" "${said//$'\n'/$'\n'    }"
	fi
}

# is NAME EXPECTED COMMAND...: the command's output, errors included, must be EXPECTED.
is() {
	local name=$1 expected=$2 said
	shift 2
	said=$("$@" 2>&1) || true
	if [ "$said" = "$expected" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n  %s\n  expected: %s\n  got:      %s\n' "$name" "$*" "$expected" "$said"
	fi
}

not() {
	! "$@"
}

# on FLEET HOST COMMAND: by ssh, as the migration would.
on() {
	local n address port
	read -r n address port _ < <(sed -n "$2p" "$work/$1/hosts.txt")
	[ "$n" = "$2" ] || return 1
	ssh -F none -o BatchMode=yes -o ConnectTimeout=10 -o StrictHostKeyChecking=yes \
		-o UserKnownHostsFile="$work/$1/known_hosts" -i "$work/$1/id_ed25519" -p "$port" "cutover@$address" "$3"
}

in_host() {
	"$fleet" exec "$work/$1" "${@:2}"
}

number_of() {
	"$@" | wc -l
}

processes_of_fleets() {
	grep -lszF -f <(echo "cutover-demo-host:${1:-$work}") /proc/[0-9]*/cmdline || true
}

# until_true COMMAND...: waits for it, 20 s at most.
until_true() {
	local deadline=$((SECONDS + 20))
	until "$@" >/dev/null 2>&1; do
		((SECONDS < deadline)) || return 1
		sleep 0.1
	done
}

folder=/opt/imhs-ws-clinet
old_line="ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'"
schedule="cd $folder && /usr/bin/ruby imhs-ws-client.rb"
mounts_before=$(cat /proc/self/mountinfo)

test_hosts() {
	check "three hosts come up" "$fleet" up "$work/plain" 3 --prefix auto --host-key 2=ecdsa --host-key 3=rsa
	is "status has a line a host" 3 number_of "$fleet" status "$work/plain"
	is "known_hosts has a line a host" 3 number_of cat "$work/plain/known_hosts"
	is "the key is for its owner only" 600 stat -c %a "$work/plain/id_ed25519"
	is "types of host keys" "ssh-ed25519 ecdsa-sha2-nistp256 ssh-rsa" \
		sh -c "cut -d' ' -f2 '$work/plain/known_hosts' | xargs"
	is "hosts.txt has the fingerprint that ssh-keygen gives" "$(cut -d' ' -f5 "$work/plain/hosts.txt")" \
		sh -c "ssh-keygen -l -f '$work/plain/known_hosts' | cut -d' ' -f2"
	for n in 1 2 3; do
		is "host $n: name" "sync-0$n" on plain $n hostname
		is "host $n: login user" cutover on plain $n 'id -un'
		is "host $n: exit status" 7 sh -c "'$fleet' exec '$work/plain' $n sh -c 'exit 7'; echo \$?"
	done
	is "sudo needs no password" root on plain 1 'sudo -n id -un'
	is "first process is the host's own" 1 on plain 1 'ps -eo pid,args | grep -c "^ *1 .*host-init"'
	is "this machine's files are not there" "" on plain 1 "sudo -n ls -A /root; sudo -n ls $work 2>/dev/null"
	is "nor its people" "cutover" on plain 1 "awk -F: '\$3 >= 1000 && \$1 != \"nobody\" { print \$1 }' /etc/passwd"
	is "nor its jobs" "sync" on plain 1 'sudo -n ls /etc/cron.d /var/spool/cron/crontabs | grep -v -e : -e "^$"'
	is "a password is asked for nowhere" "" on plain 1 "sudo -n awk -F: '\$2 != \"*\"' /etc/shadow"
	check "SFTP" sh -c "echo 'ls /opt' | sftp -F none -q -b - -o UserKnownHostsFile='$work/plain/known_hosts' \
		-i '$work/plain/id_ed25519' -P 2222 cutover@$(sed -n 1p "$work/plain/hosts.txt" | cut -d' ' -f2)"
	check "hosts do not share files" sh -c "'$fleet' exec '$work/plain' 1 touch /etc/only-1 /usr/only-1 &&
		! '$fleet' exec '$work/plain' 2 ls /etc/only-1 && ! '$fleet' exec '$work/plain' 2 ls /usr/only-1"
	check "a host's file is not this machine's" not ls /etc/only-1 /usr/only-1
}

test_client() {
	is "folder" "sync sync 755" on plain 1 "stat -c '%U %G %a' $folder"
	is "settings" "sync sync 640" on plain 1 "stat -c '%U %G %a' $folder/imhs-config.rb"
	is "the login user cannot read the settings" "cat: $folder/imhs-config.rb: Permission denied" \
		on plain 1 "cat $folder/imhs-config.rb"
	is "ROOT_URI of the old host, once" "$old_line" on plain 1 "sudo -n grep ^ROOT_URI $folder/imhs-config.rb"
	is "settings are good Ruby" "Syntax OK" on plain 1 "sudo -n ruby -c $folder/imhs-config.rb"
	is "nothing is left to fill in" "" on plain 1 "sudo -n grep -rE '@[A-Z_]+@' $folder /etc/hosts /etc/hostname"
	is "schedule" "23 3 * * * $schedule" on plain 1 'sudo -n crontab -u sync -l | tail -n 1'
	check "the client runs" on plain 1 "cd $folder && sudo -n -u sync ruby imhs-ws-client.rb"
	check "and says so" on plain 1 'tail -n 1 /var/log/imhs-sync.log |
		grep "https://us.imhs-ws.trendmicro.com/imhs/v1.0/en/domains/customer01.example/users: 4 users, completed"'
	check "API keys differ" not cmp -s <(in_host plain 1 grep API_KEY $folder/imhs-config.rb) \
		<(in_host plain 2 grep API_KEY $folder/imhs-config.rb)
}

# A real job on the minute would take up to a minute; @reboot runs at cron's start.
test_cron() {
	in_host plain 2 sh -c 'echo "@reboot id -un >/tmp/by-cron" | crontab -u sync -'
	in_host plain 2 sh -c 'pkill -x cron; rm -f /run/crond.reboot'
	check "cron ends" until_true not in_host plain 2 pgrep -x cron
	check "cron starts" in_host plain 2 /usr/sbin/cron
	check "cron runs a job" until_true in_host plain 2 test -s /tmp/by-cron
	is "as the user of the table" sync in_host plain 2 cat /tmp/by-cron
}

test_commands() {
	is "up again starts nothing" "fleet.sh: 3 hosts up, 0 started now, in $work/plain" \
		"$fleet" up "$work/plain" 3 --prefix auto --host-key 2=ecdsa --host-key 3=rsa
	check "other settings are refused" not "$fleet" up "$work/plain" 2
	in_host plain 3 sh -c 'echo kept >/root/mark; pkill -x sshd'
	check "a host without sshd is down" not "$fleet" status "$work/plain"
	check "up starts sshd again" "$fleet" up "$work/plain" 3 --prefix auto --host-key 2=ecdsa --host-key 3=rsa
	is "the host kept its files" kept in_host plain 3 cat /root/mark
	kill -9 "$(cat "$work/plain/hosts/3/pid")"
	check "a killed host is down" until_true not "$fleet" status "$work/plain"
	check "up starts it anew" "$fleet" up "$work/plain" 3 --prefix auto --host-key 2=ecdsa --host-key 3=rsa
	check "with the key it had" on plain 3 true
	check "and new files" not in_host plain 3 cat /root/mark
	in_host plain 1 pkill -STOP -x sshd
	check "up replaces a hung sshd" "$fleet" up "$work/plain" 3 --prefix auto --host-key 2=ecdsa --host-key 3=rsa
	check "which answers" on plain 1 true
	check "exec in a host that is not there" not in_host plain 4 true
	check "unknown variant" not "$fleet" up "$work/variants" 1 --variant 1=no-such
	check "variant of a host beyond the last" not "$fleet" up "$work/variants" 1 --variant 2=drift
	check "status without a fleet" not "$fleet" status "$work/none"
}

test_broken_host() {
	local said copy=$work/copy
	cp -r "$root/deploy/demo" "$copy"
	printf '#!/bin/sh\necho "out of order" >&2\nexit 3\n' >"$copy/variants/no-start.sh"
	said=$("$copy/fleet.sh" up "$work/variants" 2 --prefix auto --variant 2=no-start 2>&1) && said="came up: $said"
	is "a host that does not start is named, with what it said" \
		"fleet.sh: host 2 did not start: out of order
variant no-start failed" echo "$said"
	"$copy/fleet.sh" down "$work/variants"
	rm -r "$copy"
	is "no process of it is left" "" processes_of_fleets "$work/variants"
}

test_variants() {
	check "variants come up" "$fleet" up "$work/variants" 10 --prefix auto --variant 1=busy --variant 2=drift \
		--variant 3=broken-client --variant 4=cron-d --variant 5=etc-crontab --variant 6=crlf --variant 7=no-sudo \
		--variant 8=no-ruby --variant 9=crlf,cron-d,other-spelling --variant 10=wrong-identity
	is "busy: works in the folder" "$folder" in_host variants 1 sh -c "readlink /proc/\$(pgrep -u sync ruby)/cwd"
	is "drift" "ROOT_URI = 'https://hes-proxy.customer02.example:8443/imhs/v1.0/en'" \
		in_host variants 2 grep ^ROOT_URI $folder/imhs-config.rb
	is "broken-client: says why" "imhs-ws-client: $folder/users.csv line 6: not a mail address: \
\"ito at customer03.example\"; nothing was sent" on variants 3 "cd $folder && sudo -n -u sync ruby imhs-ws-client.rb"
	is "broken-client: fails" 1 on variants 3 "cd $folder && sudo -n -u sync ruby imhs-ws-client.rb 2>/dev/null; echo \$?"
	is "cron-d: table" "23 3 * * *	sync	$schedule" in_host variants 4 tail -n 1 /etc/cron.d/imhs-sync
	is "cron-d: the user has none" "no crontab for sync" in_host variants 4 crontab -u sync -l
	is "etc-crontab: line" "23 3	* * *	sync	$schedule" in_host variants 5 grep sync /etc/crontab
	is "etc-crontab: the user has none" "no crontab for sync" in_host variants 5 crontab -u sync -l
	is "crlf: each line" 0 in_host variants 6 grep -vc $'\r$' $folder/imhs-config.rb
	check "crlf: the client runs" on variants 6 "cd $folder && sudo -n -u sync ruby imhs-ws-client.rb"
	is "no-sudo: refused" "sudo: a password is required" on variants 7 'sudo -n true'
	is "no-ruby: none" "not found" on variants 8 'command -v ruby || echo not found'
	is "other-spelling: folder" imhs-ws-client on variants 9 'ls /opt'
	is "other-spelling: schedule" "23 3 * * *	sync	cd /opt/imhs-ws-client && /usr/bin/ruby imhs-ws-client.rb" \
		on variants 9 'tail -n 1 /etc/cron.d/imhs-sync'
	is "three variants in one host" $'\r' in_host variants 9 sh -c 'head -n 1 /opt/imhs-ws-client/imhs-config.rb | tail -c 2'
	is "wrong-identity: name" print-server on variants 10 hostname
	for n in 2 6 9; do
		is "variant of host $n keeps owner and mode" "sync sync 640" \
			in_host variants $n sh -c "stat -c '%U %G %a' /opt/imhs-ws-cli*/imhs-config.rb"
	done
}

test_end() {
	check "down" "$fleet" down "$work/plain"
	check "down of the variants" "$fleet" down "$work/variants"
	check "down again" "$fleet" down "$work/plain"
	is "no process is left" "" processes_of_fleets
	is "no mount is left" "$mounts_before" cat /proc/self/mountinfo
	is "no file is left" "" ls -A "$work"
}

test_hosts
test_client
test_cron
test_commands
test_broken_host
test_variants
test_end
echo "$passed passed, $failed failed"
[ $failed = 0 ]
