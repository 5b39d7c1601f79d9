#!/bin/bash
# windows_selftest.sh FLEET: OpenSSH's clients against hosts of the fleet server with os=windows: SFTP with Windows' rules,
# requests handed to a program of the host's, exit codes of 32 bits, faults on the way, what ends with a connection. Without
# Wine: the program is a script of this test. tests/integration/ssh_windows_cuts.sh has a real cmd.exe behind it.
set -u
fleet=$(realpath "$1")
. "$(dirname "$0")/../lib/tap.sh"
fleet_pid=

if [ "$(id -u)" != 0 ]; then
	echo 'skipped: the fleet server makes mount namespaces, which needs root'
	exit 77
fi
cd "$work" || exit 1

cleanup() {
	[ -z "$fleet_pid" ] || kill "$fleet_pid" 2>/dev/null
}

start() {
	ssh-keygen -q -t ed25519 -N '' -f id
	mkdir -p root/hosts/127.5.0.1/c/Users/Administrator "root/hosts/127.5.0.1/c/Program Files (x86)/Täst & Co" \
		root/hosts/127.5.0.2/c/Windows/Temp
	printf '127.5.0.1 os=windows\n127.5.0.2 os=windows\n127.5.0.3 os=windows fault=cut:after:5000\n' >root/hosts.txt
	cp -r root/hosts/127.5.0.2 root/hosts/127.5.0.3
	"$fleet" --port 0 --root root --hosts root/hosts.txt --user-key id.pub 2>stderr &
	fleet_pid=$!
	wait_until 'the server listens' 30 test -e root/ready
	options=(-F none -o BatchMode=yes -o LogLevel=ERROR -o UserKnownHostsFile="$work/root/known_hosts" -i id)
	port=$(cat root/port)
}

# remote HOST COMMAND
remote() {
	ssh "${options[@]}" -p "$port" "Administrator@127.5.0.$1" "$2"
}

# sftp_says HOST COMMAND...: what is said to them, but the commands themselves.
sftp_says() {
	local host=$1
	shift
	printf '%s\n' "$@" | timeout 60 sftp -q -b - "${options[@]}" -P "$port" "Administrator@127.5.0.$host" 2>&1 |
		tr -d '\r' | grep -v '^sftp> '
}

test_paths() {
	local c=root/hosts/127.5.0.1/c
	is 'the home' "$(sftp_says 1 pwd)" 'Remote working directory: /C:/Users/Administrator'
	is '/ lists the drives' "$(sftp_says 1 'ls -1 /')" '/C:'
	head -c 100000 /dev/urandom >bytes
	is 'a file under a name without its case' \
		"$(sftp_says 1 "put bytes \"/c:/PROGRAM files (X86)/tÄST & co/a 'b'.Config\"")" ''
	ok 'lies in the folder that is there' cmp bytes "$c/Program Files (x86)/Täst & Co/a 'b'.Config"
	is 'comes back' "$(sftp_says 1 "get \"/C:/Program Files (x86)/Täst & Co/A 'B'.config\" back")" ''
	ok 'as it was' cmp bytes back
	is 'back slashes' "$(sftp_says 1 "put bytes here.txt" 'ls -1 "/C:\\Users\\Administrator"' | sed 's,.*[/\\],,')" here.txt
	is 'no other drive' "$(sftp_says 1 'ls /D:/')" "Can't ls: \"/D:/\" not found"
	is 'no way out of it' "$(sftp_says 1 'get /C:/../../../../etc/passwd out')" 'File "/C:/../../../../etc/passwd" not found.'
	ln -s /etc "$c/link"
	is 'nor by a link' "$(sftp_says 1 'get /C:/link/passwd out')" 'File "/C:/link/passwd" not found.'
	is 'a name that Windows does not allow' "$(sftp_says 1 'put bytes "/C:/a|b"')" 'dest open "/C:/a|b": No such file or directory'
	is 'owner and mode' "$(sftp_says 1 'ls -ln /C:/Users/Administrator/here.txt' | awk '{ print $1, $3, $4 }')" '-rw------- 0 0'
}

test_rules() {
	local c=root/hosts/127.5.0.1/c
	cp bytes $c/one
	cp bytes $c/Two
	is 'rename onto a file, with other case' "$(sftp_says 1 'rename /C:/one /C:/tWO')" \
		'remote rename "/C:/one" to "/C:/tWO": Failure'
	is 'rename' "$(sftp_says 1 'rename /C:/one /C:/three')" ''
	ok 'moves it' test -f $c/three
	is 'chmod' "$(sftp_says 1 'chmod 444 /C:/Two')" ''
	is 'a read-only file is not written' "$(sftp_says 1 'put back /C:/two')" 'dest open "/C:/two": Permission denied'
	is 'nor removed' "$(sftp_says 1 'rm /C:/two')" 'remote delete /C:/two: Permission denied'
	is 'but by chmod again' "$(sftp_says 1 'chmod 600 /C:/TWO' 'rm /C:/two')" ''
	ok 'it is gone' test ! -e $c/Two
	printf 'C:\\THREE\n' >root/hosts/127.5.0.1/held
	is 'a file that is held is not read' "$(sftp_says 1 'get /C:/three out')" 'remote open "/C:/three": Failure'
	is 'nor written' "$(sftp_says 1 'put bytes /C:/three')" 'dest open "/C:/three": Failure'
	is 'nor removed, with another word' "$(sftp_says 1 'rm /C:/three')" 'remote delete /C:/three: Permission denied'
	: >root/hosts/127.5.0.1/held
	is 'until it is let go' "$(sftp_says 1 'rm /C:/three')" ''
	is 'an owner is not given' "$(sftp_says 1 'chown 7 here.txt')" 'remote setstat "/C:/Users/Administrator/here.txt": Failure'
}

# The script stands for `winhosts.sh session`.
test_requests() {
	is 'without a program no command' "$(remote 1 'dir' 2>/dev/null; echo $?)" 1
	cat >root/hosts/127.5.0.2/session <<-'S'
		#!/bin/sh
		case $SSH_ORIGINAL_COMMAND in
		sftp-server.exe) exec /usr/lib/openssh/sftp-server ;;
		code*) echo "${SSH_ORIGINAL_COMMAND#code }" >"$WINHOST_CODE_FILE" ;;
		many) head -c 20000 /dev/zero ;;
		stay) echo $$; sleep 54323 ;;
		*) printf 'did %s\n' "$SSH_ORIGINAL_COMMAND" ;;
		esac
	S
	chmod +x root/hosts/127.5.0.2/session
	cp root/hosts/127.5.0.2/session root/hosts/127.5.0.3/
	is 'a command as it was sent' "$(remote 2 'echo "a b" %PATH% & ^"')" 'did echo "a b" %PATH% & ^"'
	is 'its exit code, what ssh shows of it' "$(remote 2 'code 1060'; echo $?)" $((1060 % 256))
	ssh -v "${options[@]}" -o LogLevel=DEBUG1 -p "$port" Administrator@127.5.0.2 'code 3221225786' 2>said || true
	ok 'and all of its bits' grep -q 'Exit status -1073741510\|Exit status 3221225786' said
	ok 'the banner' grep -q 'remote software version OpenSSH_for_Windows_9.8 Win32-OpenSSH-GitHub' said
	is 'no file is left of it' "$(ls root/hosts/127.5.0.2)" "c
session"
	is 'SFTP by the program' "$(sftp_says 2 "ls -1 $work/root/hosts.txt")" "$work/root/hosts.txt"
	is 'a fault on the way' "$(remote 3 many 2>/dev/null | wc -c)" 5000
}

# A connection that ends takes with it what it started; without os=windows that lives on (selftest.sh).
test_end() {
	(exec ssh "${options[@]}" -p "$port" Administrator@127.5.0.2 stay) >pid 2>/dev/null &
	local client=$!
	wait_until 'a command that stays' 30 test -s pid
	kill $client
	wait_until 'ends with the connection' 30 test ! -e "/proc/$(cat pid)"
	printf 'garbage that is no packet' | "${fleet%/*}/win_sftp" root/hosts/127.5.0.1/c >said 2>&1
	is 'SFTP that is none' "$? $(cat said)" '1 win_sftp: the client breaks the protocol'
	kill "$fleet_pid"
	wait "$fleet_pid"
	is 'the server ends well' $? 0
	fleet_pid=
	is 'and complains of nothing' "$(cat stderr)" ''
}

start
test_paths
test_rules
test_requests
test_end
finish
