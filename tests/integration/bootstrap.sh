#!/bin/sh
# deploy/bootstrap/linux.sh on hosts of the demo fleet: a login with the key from an allowed address and from another, sudo,
# twice the same, each tool failing in turn, people's own logins, keys and rules; and --remove, after which the host's
# files are as they were. Hosts without sshd are in bootstrap_install.sh.
#
# Needs root, namespaces, the packages of deploy/deps.sh --demo. Leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"
root=$(realpath "$(dirname "$0")/../..")
fleet=$root/deploy/demo/fleet.sh
script=$root/deploy/bootstrap/linux.sh

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	skip 'the bootstrap of Linux hosts' 'it needs root and namespaces'
	finish
fi
cleanup() { "$fleet" down "$work/fleet" >/dev/null 2>&1 || true; }
"$fleet" up "$work/fleet" 1 --prefix auto >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
read -r _ address port name print <"$work/fleet/hosts.txt"
ssh-keygen -q -t ed25519 -N '' -C 'the night of acme' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -C theirs -f "$work/theirs"

in_host() { "$fleet" exec "$work/fleet" 1 "$@"; }
put() { in_host sh -c "cat >'$1'" <"$2"; }
put /root/linux.sh "$script"
in_host mkdir -m 755 /run/faults

# boot SHELL ARGUMENT...: the script in the host, as a remote-management tool runs it: no terminal, hardly any environment.
boot() {
	boot_shell=$1
	shift
	run "$fleet" exec "$work/fleet" 1 env -i PATH="${boot_path-/usr/bin:/bin}" "$boot_shell" /root/linux.sh "$@"
}
ours() { boot "${shell-dash}" --key "$(cat "$work/key.pub")" --from "${allowed-127.0.0.2,192.0.2.0/24}" --address "$address" "$@"; }
remove() {
	boot dash --remove
	status_is "$1: --remove" 0
	out_is_empty "$1: --remove prints nothing"
	is "$1: --remove: all is as it was" "$(changes)" ''
}

# login KEY SOURCE USER COMMAND: what it prints, or that it was refused.
login() {
	timeout 20 ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile="$work/fleet/known_hosts" -i "$work/$1" \
		-b "$2" -p "$port" "$3@$address" "$4" 2>&1 </dev/null | sed 's/^.*Permission denied.*/refused/'
}

# All names of the host with their kind, mode, owner and target, and the content of files that are not the system's own.
# Not /usr, which it has nothing to do with, the back-ups that useradd makes of what it edits (passwd-, …), logs, and this test's own.
list_files() {
	in_host sh -c 'cd / && find . \( -path ./proc -o -path ./dev -o -path ./sys -o -path ./tmp -o -path ./var/log -o -path ./run/faults -o -path ./usr \) \
			-prune -o ! -name "*-" ! -name linux.sh ! -name .pwd.lock ! -name sshd.pid -printf "%p %y %m %U:%G %l\n" | sort
		find etc home root var run opt srv -type f ! -path "var/log/*" ! -path "run/faults/*" ! -name "*-" ! -name .pwd.lock \
			! -name sshd.pid ! -name linux.sh -exec sha256sum {} + | sort -k2'
}
keep_listing() { list_files >"$work/before"; }
changes() { list_files | diff "$work/before" - | sed -n 's/^[<>]/&/p' | head -n 20; }

line="$name,$address,$port,mover,linux,sudo,ssh-ed25519 $print"

# ---- what is refused --------------------------------------------------------------------------------------------

keep_listing
key_text=$(cat "$work/key.pub")
wrong() {
	wrong_name=$1 wrong_text=$2
	shift 2
	boot dash "$@"
	status_is "$wrong_name: exit code" 2
	err_has "$wrong_name: said" "$wrong_text"
	out_is_empty "$wrong_name: nothing on stdout"
}
wrong 'no key' '--key is missing' --from 127.0.0.2
wrong 'no address' '--from is missing' --key "$key_text"
wrong 'a private key' 'is a private key' --key "$(cat "$work/key")" --from 127.0.0.2
wrong 'no key at all' 'no public key' --key 'hello world' --from 127.0.0.2
wrong 'a key with an option' 'no public key' --key "command=\"x\" $key_text" --from 127.0.0.2
wrong 'two keys' 'no public key' --key "$key_text
$key_text" --from 127.0.0.2
wrong 'a pattern' 'no list of addresses' --key "$key_text" --from '*.example'
wrong 'a quote' 'no list of addresses' --key "$key_text" --from '127.0.0.2",no-pty'
wrong 'a bad login' 'no name of a login' --key "$key_text" --from 127.0.0.2 --user 'a b'
wrong 'an unknown argument' 'no argument "--force"' --force
wrong 'nothing behind it' 'needs a value' --key
in_host sh -c 'chmod 755 /root && chmod 755 /root/linux.sh'
run "$fleet" exec "$work/fleet" 1 setpriv --reuid 65534 --regid 65534 --clear-groups sh /root/linux.sh --remove
status_is 'not root: exit code' 2
err_has 'not root: said' 'needs root'
in_host chmod 700 /root

ours --user mover
status_is 'AllowUsers: exit code' 3
err_has 'AllowUsers: says who is let in' 'AllowUsers (cutover)'
err_has 'AllowUsers: nothing was changed' 'nothing was changed'
is 'what is refused changes nothing' "$(changes)" ''

in_host sh -c 'sed -i "s/^AllowUsers.*/AllowUsers cutover mover legacy/" /etc/ssh/sshd_config && pkill -HUP -x sshd'
keep_listing
in_host sh -c 'echo "somebody else ALL=(ALL) ALL" >/etc/sudoers.d/cutover-bootstrap'
ours --user mover
status_is 'a file of that name: exit code' 3
err_has 'a file of that name: said' 'is there and not from this script'
in_host sh -c 'echo "no such rule" >/etc/sudoers.d/cutover-bootstrap; mv /etc/sudoers.d/cutover-bootstrap /etc/sudoers.d/bad'
ours --user mover
status_is 'rules that are broken already: exit code' 3
err_has 'rules that are broken already: said' 'visudo finds fault'
in_host rm /etc/sudoers.d/bad
is 'what is in the way stays as it is' "$(changes)" ''

# ---- a host as it comes -----------------------------------------------------------------------------------------

ours --user mover
status_is 'made ready' 0
is 'one line, for the inventory' "$(cat "$out")" "$line"
is 'from an allowed address' "$(login key 127.0.0.2 mover 'id -un')" mover
is 'from another address' "$(login key 127.0.0.3 mover 'id -un')" refused
is 'sudo, without a terminal' "$(login key 127.0.0.2 mover 'sudo -n id -u')" 0
is 'its rule: mode and owner' "$(in_host stat -c '%a %U' /etc/sudoers.d/cutover-bootstrap)" '440 root'
is 'its password fits nothing, and it is not locked' "$(in_host getent shadow mover | cut -d: -f2)" '*'
is 'its key: mode and owner' "$(in_host stat -c '%a %U' /home/mover/.ssh/authorized_keys)" '600 mover'
in_host cat /root/linux.sh >"$work/pushed"
not_ok 'no secret is in it' grep -Eiq 'BEGIN .*PRIVATE|password=|passwd -' "$work/pushed"
list_files >"$work/ready"
for shell in dash bash 'busybox sh'; do
	case $shell in busybox*) command -v busybox >/dev/null || continue ;; esac
	# What it is started by is not what runs the script's own commands.
	# shellcheck disable=SC2086
	run "$fleet" exec "$work/fleet" 1 env -i CUTOVER_KEY="$key_text" CUTOVER_FROM=127.0.0.2,192.0.2.0/24 CUTOVER_USER=mover \
		CUTOVER_ADDRESS="$address" $shell /root/linux.sh
	status_is "again, by $shell and the environment" 0
	is "again, by $shell: the same line" "$(cat "$out")" "$line"
	is "again, by $shell: nothing has changed" "$(list_files | diff "$work/ready" -)" ''
done
unset shell
allowed=127.0.0.3
ours --user mover --header
unset allowed
is 'another address: the columns, if they are asked for' "$(head -n 1 "$out")" 'host,address,port,user,os,become,host_key'
is 'another address: the old one is out' "$(login key 127.0.0.2 mover 'id -un')" refused
is 'another address: the new one is in' "$(login key 127.0.0.3 mover 'id -un')" mover
remove 'a host as it came'
is 'the login is gone' "$(login key 127.0.0.3 mover 'id -un')" refused
boot dash --remove
status_is '--remove again' 0
err_has '--remove again: said' 'nothing of an earlier run is here'

ours --user mover --no-sudo
is 'without sudo: the line' "$(cat "$out")" "$name,$address,$port,mover,linux,none,ssh-ed25519 $print"
not_ok 'without sudo: no rule' in_host test -e /etc/sudoers.d/cutover-bootstrap
remove 'without sudo'

# Logged in while it is taken away.
ours --user mover
login key 127.0.0.2 mover 'echo in; exec sleep 1000' >"$work/session" &
session=$!
wait_until 'somebody is logged in' 20 grep -q in "$work/session"
remove 'somebody logged in'
wait $session || true

# ---- each tool fails in turn ------------------------------------------------------------------------------------

for tool in useradd usermod visudo chown mv ssh-keyscan runuser; do
	# The real one lies behind it, for what --remove needs of it.
	in_host sh -c "printf '#!/bin/sh\nexit 1\n' >/run/faults/$tool && chmod 755 /run/faults/$tool"
	boot_path=/run/faults:/usr/bin:/bin
	ours --user mover
	unset boot_path
	in_host rm /run/faults/$tool
	case $tool in
	visudo) status_is "$tool fails: exit code" 3 ;;
	*) status_is "$tool fails: exit code" 1 ;;
	esac
	out_is_empty "$tool fails: no line"
	ok "$tool fails: it says something" test -s "$err"
	if in_host test -e /var/lib/cutover-bootstrap; then
		remove "$tool failed"
	else
		is "$tool failed: nothing was changed" "$(changes)" ''
	fi
done
in_host mkdir /run/cutover-bootstrap.lock
ours --user mover
status_is 'another run at work: exit code' 1
err_has 'another run at work: said' 'another run is at work'
in_host rmdir /run/cutover-bootstrap.lock

# ---- what people have -------------------------------------------------------------------------------------------

in_host sh -c 'useradd -m -s /bin/sh legacy && usermod -p "*" legacy && mkdir -m 700 /home/legacy/.ssh && cat >/home/legacy/.ssh/authorized_keys &&
	chown -R legacy: /home/legacy/.ssh && chmod 600 /home/legacy/.ssh/authorized_keys &&
	echo "legacy ALL=(ALL) NOPASSWD: /usr/bin/true" >/etc/sudoers.d/legacy && chmod 440 /etc/sudoers.d/legacy' <<END
# no newline at its end
$(tr -d '\n' <"$work/theirs.pub")
END
in_host sh -c 'truncate -s -1 /home/legacy/.ssh/authorized_keys'
keep_listing
ours --user legacy
status_is 'a login that was there' 0
err_has 'a login that was there: said' 'was here before'
is 'a login that was there: our key' "$(login key 127.0.0.2 legacy 'sudo -n id -u')" 0
is 'a login that was there: its own key' "$(login theirs 127.0.0.9 legacy 'id -un')" legacy
list_files >"$work/ready"
ours --user legacy
is 'a login that was there: again, nothing has changed' "$(list_files | diff "$work/ready" -)" ''
remove 'a login that was there'
is 'a login that was there: its own key still' "$(login theirs 127.0.0.9 legacy 'id -un')" legacy

in_host sh -c 'mv /home/legacy/.ssh/authorized_keys /home/legacy/real; ln -s ../real /home/legacy/.ssh/authorized_keys'
sum=$(in_host sha256sum /home/legacy/real)
ours --user legacy
status_is 'a link in its folder: exit code' 1
err_has 'a link in its folder: said' 'is a link'
is 'a link in its folder: it was not followed' "$(in_host sha256sum /home/legacy/real)" "$sum"
boot dash --remove
in_host sh -c 'rm /home/legacy/.ssh/authorized_keys; mv /home/legacy/real /home/legacy/.ssh/authorized_keys; chmod 777 /home/legacy'
ours --user legacy
status_is 'a folder that others can write: exit code' 1
err_has 'a folder that others can write: said' 'others can write /home/legacy'
boot dash --remove
in_host chmod 755 /home/legacy
in_host sh -c 'userdel -r legacy 2>/dev/null; rm /etc/sudoers.d/legacy'

# ---- sshd -------------------------------------------------------------------------------------------------------

keep_listing
in_host sh -c 'ssh-keygen -q -t ed25519 -N "" -f /run/faults/key; pkill -x sshd; while pgrep -x sshd >/dev/null; do :; done
	/usr/sbin/sshd -h /run/faults/key -E /var/log/sshd.log'
ours --user mover
status_is 'an sshd that has another key than its settings: exit code' 1
err_has 'an sshd that has another key than its settings: said' 'restart it'
out_is_empty 'an sshd that has another key than its settings: no line'
remove 'an sshd with another key'

in_host sh -c 'pkill -x sshd; while pgrep -x sshd >/dev/null; do :; done'
ours --user mover
status_is 'an sshd that did not run' 0
is 'an sshd that did not run: it does now' "$(login key 127.0.0.2 mover 'id -un')" mover
boot dash --remove
status_is 'an sshd that did not run: --remove' 0
not_ok 'an sshd that did not run: it does not any more' in_host pgrep -x sshd
cleanup
finish
