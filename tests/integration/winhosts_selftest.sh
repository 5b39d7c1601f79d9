#!/bin/bash
# tests/integration/winhosts_selftest.sh
#
# The Windows hosts themselves (deploy/demo/windows) do what other tests rely on: hosts that are apart from each other and
# from this machine, cmd.exe behind a real sshd with the command line as OpenSSH for Windows builds it, exit codes of 32
# bits, SFTP with Windows' rules, a real service that can misbehave, programs with Windows' texts in two languages, a clean
# end. Uses OpenSSH's own clients, not cutover.
#
# Needs root and the packages of deploy/deps.sh --windows; says so and is skipped where they are missing. Leaves nothing: no
# process, mount or file (but build/windows, the hosts' common part). Last line: N passed, N failed[, N skipped].
set -eu
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/winhost.sh"
cleanup() { winhost_down || true; }

winhost_possible || {
	skip 'Windows hosts' "$winhost_why_not"
	finish
}
mounts_before=$(cat /proc/self/mountinfo)
config=$win_client/PluginService.exe.config
windows_config="C:\\${config//\//\\}"

# What a line prints, without CR.
says() {
	winhost_ssh "$@" 2>&1 | tr -d '\r'
}

# What sftp says to one command, without the command itself.
sftp_says() {
	winhost_sftp "$1" <<<"$2" 2>&1 | tr -d '\r' | grep -v '^sftp> ' || true
}

test_hosts() {
	local n
	winhost_up 3 --variant 2=japanese,depends --variant 3=ruby,stopped,drift
	is 'status has a line a host' "$("$winhost_command" status "$winhost_dir" | cut -d' ' -f1,4,5 | xargs)" \
		'1 WIN-SYNC-01 up 2 WIN-SYNC-02 up 3 WIN-SYNC-03 up'
	for n in 1 2 3; do
		is "host $n: name, user, system" "$(says $n 'hostname & echo %USERNAME% %OS%' | xargs)" \
			"WIN-SYNC-0$n Administrator Windows_NT"
	done
	is 'only C: is there' "$(says 1 'if exist z:\ (echo Z:) else echo no Z:')" 'no Z:'
	: >"$(winhost_drive 1)/only-1"
	ok 'the drive is seen from outside' winhost_ssh 1 'if exist c:\only-1 (exit 0) else exit 1'
	not_ok 'hosts do not share files' winhost_ssh 2 'if exist c:\only-1 (exit 0) else exit 1'
	is 'show says what a test needs' "$("$winhost_command" show "$winhost_dir" 1 | cut -d= -f1 | xargs)" \
		'address port user key known_hosts pin name drive'
	is 'up again starts nothing' "$("$winhost_command" up "$winhost_dir" 3 --variant 2=japanese,depends \
		--variant 3=ruby,stopped,drift --prefix auto 2>&1)" "winhosts.sh: 3 hosts up, 0 started now, in $winhost_dir"
}

# resident LINE...: fed to one `cmd.exe /d /q`, each after the answer to the last; prints the answers. What is sent ahead is
# lost under Wine.
resident() {
	local answer line n=0 to from
	coproc winhost_ssh 1 'cmd.exe /d /q'
	to=${COPROC[1]} from=${COPROC[0]}
	for line; do
		n=$((n + 1))
		printf '%s\r\n' "$line& echo @end$n" >&"$to"
		while IFS= read -r -t 60 answer <&"$from" && [[ $answer != @end$n* ]]; do
			[ -z "${answer%$'\r'}" ] || [[ $answer == Microsoft* ]] || printf '%s\n' "${answer%$'\r'}"
		done
	done
	{ exec {to}>&-; } 2>/dev/null
	wait "$COPROC_PID" || true
}

test_commands() {
	is 'a request stands between one pair of quotes, with its own as they are' "$(says 1 'echo "a b" c& echo "d"')" '"a b" c
"d"'
	is 'exit code of 32 bits' "$(winhost_code 1 'exit 305419896')" 305419896
	is 'of a command that is not there' "$(winhost_code 1 'no-such-program' 2>/dev/null)" 9009
	is 'sshd passes on 8 of them' "$(winhost_ssh 1 'exit 1060'; echo $?)" 36
	is 'stderr is apart' "$(winhost_ssh 1 'echo out& echo err>&2' 2>/dev/null | tr -d '\r')" 'out'
	is 'a resident cmd.exe, line by line' "$(resident 'echo one' 'cd \windows' 'cd' 'cmd /c exit 1234' 'echo %errorlevel%' | paste -sd' ')" \
		'one C:\windows 1234'
}

# The programs of that name in a host, as Linux sees them.
pings() {
	local pid
	read -r pid <"$winhost_dir/hosts/$1/pid"
	nsenter -t "$pid" -m -p -r -w env -i PATH=/usr/bin pgrep -c -x ping
}

# The connection is cut: the ssh that $1, a shell of ours, has started.
end_session() {
	pkill -P "$1" || true
	wait "$1" || true
}

no_pings() {
	! pings 1
}

test_session_ends() {
	local inside session
	inside=/proc/$(cat "$winhost_dir/hosts/1/pid")/root/run/winhost
	winhost_ssh 1 'ping -n 600 127.0.0.1 >nul' >/dev/null 2>&1 &
	session=$!
	wait_until 'a program runs in a session' 60 pings 1
	end_session $session
	wait_until 'it ends with the connection' 60 no_pings
	: >"$inside/no-job"
	winhost_ssh 1 'cmd /c "ping -n 600 127.0.0.1 >nul"' >/dev/null 2>&1 &
	session=$!
	wait_until 'a program runs in a session without a job' 60 pings 1
	end_session $session
	wait_until 'the session is gone' 60 not_in_tasklist 1 sshshell.exe
	ok 'the program is not' pings 1
	rm "$inside/no-job"
	winhost_exec 1 'taskkill /f /im ping.exe' >/dev/null 2>&1 || true
	wait_until 'until it is killed' 60 no_pings
}

# winhost_exec itself is an sshshell.exe.
not_in_tasklist() {
	[ "$(winhost_exec "$1" "tasklist /nh /fi \"imagename eq $2\"" | grep -c "$2")" -le 1 ]
}

test_sftp_paths() {
	local n
	head -c 100000 /dev/urandom >"$work/bytes"
	is 'the home is the user'\''s profile' "$(sftp_says 1 pwd)" 'Remote working directory: /C:/Users/Administrator'
	is '/ lists the drives' "$(sftp_says 1 'ls -1 /' | xargs)" '/C:'
	is 'names have no case' "$(sftp_says 1 'ls -1 "/c:/program files (x86)/TREND MICRO"' | sed 's,.*/,,')" \
		'Hosted Email Security ActiveDirectory Sync Client'
	ok 'a name with all that is difficult' winhost_sftp 1 <<-S
		put $work/bytes "/C:/Windows/Temp/Täst 日本 & 'x' (1).bin"
		get "/c:/windows/temp/täST 日本 & 'X' (1).BIN" $work/back
	S
	ok 'comes back as it was' cmp "$work/bytes" "$work/back"
	is 'cmd.exe sees the same file' "$(says 1 "for %f in (\"C:\\windows\\temp\\Täst 日本 & 'x' (1).bin\") do @echo %~zf")" 100000
	is 'nobody owns it' "$(sftp_says 1 'ls -ln /C:/Windows/Temp' | awk '/bin$/ { print $1, $3, $4 }')" '-rw------- 0 0'
}

test_sftp_rules() {
	ok 'two files' winhost_sftp 1 <<-S
		put $work/bytes /C:/Windows/Temp/a
		put $work/bytes /C:/Windows/Temp/b
	S
	is 'rename onto a file that is there' "$(sftp_says 1 'rename -l /C:/windows/temp/a /C:/WINDOWS/temp/B')" \
		'remote rename "/C:/windows/temp/a" to "/C:/WINDOWS/temp/B": Failure'
	ok 'posix-rename replaces it' winhost_sftp 1 <<<'rename /C:/windows/temp/a /C:/WINDOWS/temp/B'
	ok 'chmod makes it read-only' winhost_sftp 1 <<<'chmod 444 /C:/windows/temp/b'
	is 'as attrib sees it' "$(says 1 'attrib c:\windows\temp\b' | cut -c 1-10 | xargs)" 'A R'
	is 'then it cannot be written' "$(sftp_says 1 "put $work/bytes /C:/windows/temp/b")" \
		'dest open "/C:/windows/temp/b": Permission denied'
	is 'nor removed' "$(sftp_says 1 'rm /C:/windows/temp/b')" 'remote delete /C:/windows/temp/b: Permission denied'
	is 'nor written by cmd.exe' "$(says 1 'copy /b /y c:\windows\win.ini c:\windows\temp\b >nul 2>&1 & call echo %^errorlevel%')" 1
	is 'nobody can be given a file' "$(sftp_says 1 'chown 7 /C:/windows/temp/b')" \
		'remote setstat "/C:/windows/temp/b": Failure'
	is 'what is not there' "$(sftp_says 1 'get /C:/windows/temp/c')" 'File "/C:/windows/temp/c" not found.'
}

# A service that holds its config is what a migration meets.
test_sharing() {
	winhost_control 1 "$win_agent holds-config"
	restart 1 "$win_agent"
	is 'SFTP reads no file that is held' "$(sftp_says 1 "get \"/C:/$config\" $work/held" | sed 's/.*: //')" Failure
	is 'nor writes it' "$(sftp_says 1 "put $work/bytes \"/C:/$config\"" | sed 's/.*: //')" Failure
	is 'cmd.exe does not copy onto it' "$(winhost_code 1 "copy /b /y c:\\windows\\win.ini \"$windows_config\" >nul 2>&1")" 1
	ok 'it is as it was' grep -q us.imhs-ws.trendmicro.com "$(winhost_drive 1)/$config"
	winhost_control 1
	restart 1 "$win_agent"
	ok 'the next process does not hold it' winhost_sftp 1 <<<"get \"/C:/$config\" $work/free"
	ok 'and it is the same' cmp "$work/free" "$(winhost_drive 1)/$config"
}

restart() {
	winhost_exec "$1" "sc.exe stop $2" >/dev/null || true
	winhost_becomes "$2 stops" "$1" "$2" 1
	winhost_exec "$1" "sc.exe start $2" >/dev/null
	winhost_becomes "$2 runs" "$1" "$2" 4
}

test_services() {
	is 'both run when the host is up' "$(winhost_state 1 $win_agent) $(winhost_state 1 $win_service)" '4 4'
	is 'key names by display names' "$(says 1 'sc.exe getkeyname "Hosted Email Security ActiveDirectory Sync Agent"')" \
		"[SC] GetServiceKeyName SUCCESS
Name = $win_agent"
	is 'no service of that name' "$(winhost_code 1 'sc.exe query no-such' 2>/dev/null)" 1060
	is 'none with that display name' "$(winhost_code 1 'sc.exe getkeyname "no such"' 2>/dev/null)" 1060
	is 'it says so as Windows does' "$(says 1 'sc.exe query no-such')" '[SC] EnumQueryServicesStatus:OpenService FAILED 1060:

The specified service does not exist as an installed service.'
	is 'start of what runs' "$(winhost_code 1 "sc.exe start $win_agent" 2>/dev/null)" 1056
	is 'stop' "$(winhost_code 1 "sc.exe stop $win_agent" 2>/dev/null)" 0
	winhost_becomes 'it is stopped' 1 $win_agent 1
	is 'stop of what is stopped' "$(winhost_code 1 "sc.exe stop $win_agent" 2>/dev/null)" 1062
	is 'a disabled one' "$(winhost_code 1 "sc.exe config $win_agent start= disabled" 2>/dev/null)" 0
	is 'does not start' "$(winhost_code 1 "sc.exe start $win_agent" 2>/dev/null)" 1058
	is 'qc says why' "$(says 1 "sc.exe qc $win_agent" | grep START_TYPE | xargs)" 'START_TYPE : 4 DISABLED'
	winhost_exec 1 "sc.exe config $win_agent start= auto & sc.exe start $win_agent" >/dev/null
	winhost_becomes 'and enabled again' 1 $win_agent 4
	is 'the service read its file, once a start' "$(winhost_log 1 | grep "^$win_agent" | tail -n 3)" "$win_agent start
$win_agent config 552 bytes, us.imhs-ws.trendmicro.com
$win_agent running"
}

test_misbehaviour() {
	winhost_control 1 "$win_agent stop-hangs"
	winhost_exec 1 "sc.exe stop $win_agent" >/dev/null
	winhost_becomes 'STOP_PENDING' 1 $win_agent 3
	is 'stop of what is stopping' "$(winhost_code 1 "sc.exe stop $win_agent" 2>/dev/null)" 1061
	winhost_control 1 "$win_agent restarts"
	wait_until 'it stops, and is started again by itself' 60 started_twice
	winhost_becomes 'so it runs' 1 $win_agent 4
	winhost_control 1 "$win_agent stop-refused"
	restart 1 $win_service
	winhost_exec 1 "sc.exe stop $win_agent" >/dev/null || true
	winhost_becomes 'the next refuses a stop' 1 $win_agent 1
	winhost_exec 1 "sc.exe start $win_agent" >/dev/null
	winhost_becomes 'once it runs' 1 $win_agent 4
	is 'with its code' "$(winhost_code 1 "sc.exe stop $win_agent" 2>/dev/null)" 1052
	winhost_control 1 "$win_service process-stays 12000"
	winhost_exec 1 "sc.exe stop $win_service" >/dev/null
	winhost_becomes 'a service that is stopped' 1 $win_service 1
	is 'may have a process yet' "$(winhost_exec 1 'tasklist /nh /fi "imagename eq PluginService.exe"' | grep -c '^PluginService')" 2
	wait_until 'which ends' 60 one_process
	winhost_exec 1 "sc.exe start $win_service" >/dev/null
	winhost_becomes 'it runs again' 1 $win_service 4
	winhost_control 1 "$win_service start-fails 1067"
	winhost_exec 1 "sc.exe stop $win_service" >/dev/null
	winhost_becomes 'the other one stops' 1 $win_service 1
	winhost_exec 1 "sc.exe start $win_service" >/dev/null
	wait_until 'fails to start' 60 failed_with 1067
	winhost_exec 1 "reg add HKLM\\System\\CurrentControlSet\\Services\\$win_service /v WinhostLogonFails /t REG_DWORD /d 1 /f" >/dev/null
	is 'a password that is no longer right' "$(winhost_code 1 "sc.exe start $win_service" 2>/dev/null)" 1069
	is 'a new one' "$(winhost_code 1 "sc.exe config $win_service password= secret" 2>/dev/null)" 0
	winhost_control 1
	is 'is right' "$(winhost_code 1 "sc.exe start $win_service" 2>/dev/null)" 0
}

one_process() {
	[ "$(winhost_exec 1 'tasklist /nh /fi "imagename eq PluginService.exe"' | grep -c '^PluginService')" = 1 ]
}

started_twice() {
	[ "$(winhost_log 1 | grep "^$win_agent [^p]" | tail -n 4 | cut -d' ' -f2 | xargs)" = 'stopped start config running' ]
}

failed_with() {
	winhost_exec 1 "sc.exe query $win_service" | grep -q "WIN32_EXIT_CODE *: $1 "
}

test_dependants_and_japanese() {
	is 'a service that another depends on does not stop' "$(winhost_code 2 "sc.exe stop $win_service" 2>/dev/null)" 1051
	is 'enumdepend names it' "$(says 2 "sc.exe enumdepend $win_service" | grep SERVICE_NAME)" "SERVICE_NAME: $win_agent"
	is 'Japanese, in code page 932' "$(winhost_ssh 2 'sc.exe query no-such' | iconv -f CP932 -t UTF-8 | tr -d '\r' | sed -n 3p)" \
		'指定されたサービスはインストールされたサービスとして存在しません。'
	is 'tasklist too' "$(winhost_ssh 2 'tasklist /fi "imagename eq no.exe"' | iconv -f CP932 -t UTF-8 | tr -d '\r')" \
		'情報: 指定された条件に一致するタスクは実行されていません。'
	is 'and schtasks, on stderr' "$(winhost_ssh 2 'schtasks /query /tn none' 2>&1 >/dev/null | iconv -f CP932 -t UTF-8 | tr -d '\r')" \
		'エラー: 指定されたファイルが見つかりません。'
	is 'the numbers are the same' "$(winhost_state 2 $win_agent)" 4
	winhost_exec 2 "sc.exe stop $win_agent" >/dev/null
	winhost_becomes 'the dependant stops' 2 $win_agent 1
	is 'then the other' "$(winhost_code 2 "sc.exe stop $win_service" 2>/dev/null)" 0
	winhost_becomes 'stops too' 2 $win_service 1
	is 'the dependant starts' "$(winhost_code 2 "sc.exe start $win_agent" 2>/dev/null)" 0
	winhost_becomes 'with what it depends on' 2 $win_service 4
}

test_programs() {
	is 'tasklist: PIDs of the services, as CSV' \
		"$(says 1 'tasklist /fo csv /nh /fi "imagename eq PluginService.exe"' | grep -c '^"PluginService.exe","[0-9]*","Services","0",".* K"$')" 2
	is 'tasklist: none' "$(says 1 'tasklist /fi "imagename eq no.exe"')" \
		'INFO: No tasks are running which match the specified criteria.'
	is 'findstr: a text' "$(winhost_code 1 "findstr /i /c:\"ws_SERVICE_uri\" \"$windows_config\"" 2>/dev/null)" 0
	is 'findstr: an expression' "$(says 1 "findstr /n /r \"WS_SERVICE_URI.*https:..us\\.[a-z-]*\\.tr\" \"$windows_config\" | findstr /b 5:" | wc -l)" 1
	is 'findstr: not there' "$(winhost_code 1 "findstr nowhere \"$windows_config\"" 2>/dev/null)" 1
	is 'reg: the 32-bit view' "$(says 1 'reg query HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall /s /reg:32' |
		grep InstallLocation | grep -c 'ActiveDirectory Sync Client')" 1
}

test_variants() {
	is 'stopped: neither runs' "$(winhost_state 3 $win_agent) $(winhost_state 3 $win_service)" '1 1'
	is 'drift: the proxy is in the file' "$(grep -c hes-proxy.customer.example "$(winhost_drive 3)/$config")" 1
	is 'ruby: good syntax' "$(says 3 'cd \imhs-ws-client & ruby -c imhs-config.rb')" 'Syntax OK'
	is 'ruby: exit code' "$(winhost_code 3 'ruby -e "exit 77"' 2>/dev/null)" 77
	is 'schtasks: the task' "$(says 3 'schtasks /query /fo csv /nh')" '"\imhs-ws-client sync","N/A","Ready"'
	is 'its XML says UTF-16, in bytes of the code page' "$(says 3 'schtasks /query /tn "imhs-ws-client sync" /xml' | head -n 1)" \
		'<?xml version="1.0" encoding="UTF-16"?>'
	is 'disabled' "$(says 3 'schtasks /change /tn "imhs-ws-client sync" /disable')" \
		'SUCCESS: The parameters of scheduled task "imhs-ws-client sync" have been changed.'
	is 'only the task, not its trigger' "$(says 3 'schtasks /query /tn "imhs-ws-client sync" /xml' | grep Enabled | tr -d ' ' | xargs)" \
		'<Enabled>true</Enabled> <Enabled>false</Enabled>'
	is 'does not run' "$(winhost_code 3 'schtasks /run /tn "imhs-ws-client sync"' 2>/dev/null)" 1
	winhost_exec 3 'schtasks /change /tn "imhs-ws-client sync" /enable & schtasks /run /tn "imhs-ws-client sync"' >/dev/null
	wait_until 'enabled it runs, after the session is over' 60 grep -q 'us.imhs-ws.trendmicro.com.*completed' \
		"$(winhost_drive 3)/imhs-ws-client/imhs-sync.log"
	winhost_ssh 3 'ruby -e "sleep 600"' >/dev/null 2>&1 &
	local session=$!
	wait_until 'a Ruby that works is seen' 60 ruby_is_seen
	end_session $session
	wait_until 'it ends with its session' 60 no_ruby
}

ruby_is_seen() {
	winhost_exec 3 'tasklist /fo csv /nh /fi "imagename eq ruby.exe"' | grep -q '^"ruby.exe"'
}

no_ruby() {
	local pid
	read -r pid <"$winhost_dir/hosts/3/pid"
	! nsenter -t "$pid" -m -p -r -w env -i PATH=/usr/bin pgrep 'ruby'
}

test_broken_host() {
	local pid
	read -r pid <"$winhost_dir/hosts/3/pid"
	kill -9 "$pid"
	not_ok 'a killed host is down' "$winhost_command" status "$winhost_dir"
	winhost_up 3 --variant 2=japanese,depends --variant 3=ruby,stopped,drift
	ok 'it comes up with the key it had' winhost_ssh 3 ver
	not_ok 'and new files' test -e "$(winhost_drive 3)/imhs-ws-client/imhs-sync.log"
	not_ok 'other settings are refused' "$winhost_command" up "$winhost_dir" 2
	not_ok 'unknown variant' "$winhost_command" up "$work/none" 1 --variant 1=no-such
}

processes() {
	grep -lszF -f <(echo "cutover-windows-host:$winhost_dir") /proc/[0-9]*/cmdline || true
}

test_end() {
	ok 'down' winhost_down
	ok 'down again' winhost_down
	is 'no process is left' "$(processes)" ''
	is 'no mount is left' "$(cat /proc/self/mountinfo)" "$mounts_before"
	not_ok 'no file is left' test -e "$winhost_dir"
}

test_hosts
test_commands
test_session_ends
test_sftp_paths
test_sftp_rules
test_services
test_sharing
test_misbehaviour
test_dependants_and_japanese
test_programs
test_variants
test_broken_host
test_end
finish
