#!/bin/sh
# The transport against a Windows host (sshd in front of Wine's cmd.exe, SFTP with Win32's rules): what runs and with which
# codes, what arrives of arguments, input and output, files under strange names, what is held, read-only, torn, full, not
# allowed; what is left running and what is left behind. Needs root, Wine and mingw.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/../../lib/winhost.sh"
. "$(dirname "$0")/lib.sh"
winhost_possible || {
	skip 'a Windows host' "$winhost_why_not"
	finish
}
cleanup() { winhost_down >/dev/null 2>&1 || true; }
winhost_up 1
# shellcheck disable=SC2034
address='' user='' key='' drive=''
eval "$("$winhost_command" show "$winhost_dir" 1)"
win_pid=$(cat "$winhost_dir/hosts/1/pid")
x86_64-w64-mingw32-gcc -O2 -s -municode -o "$work/hold.exe" "$(dirname "$0")/hold.c"
cp "$work/hold.exe" "$drive/windows/"

windows_probe() { run "$probe_bin" --windows --user "$user" --key "$key" --pin "$pin" --port "$port" "$@"; }
# In its namespaces; its drive C: is /C: there.
in_host() { nsenter -t "$win_pid" -m -p -r -w "$@"; }

# of N: the line of the last run about op N; field NAME: a field of it.
of() { grep "^127\.[0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }
total_clean() {
	if grep -q 'handles=none fds=none' "$out"; then pass "$1: nothing is left"; else fail "$1: nothing is left" "$(tail -n 1 "$out")"; fi
}
hash() { sha256sum | cut -d ' ' -f 1; }
folders() { in_host find /C:/windows/temp -maxdepth 1 -name 'cutover-*'; }
# await SECONDS COMMAND…: until it succeeds; wait_until, without a check.
await() { wait_until '' "$@" >/dev/null; }
script() { printf '%s\n' "$2" >"$work/$1.cmd"; }

# --- scripts
script args '@echo off
:next
if "%~1"=="" goto end
echo "%~1"
shift
goto next
:end
findstr "^"
echo an error>&2
exit /b 1060'
printf 'in 1\nin 2\n' >"$work/input"
windows_probe --show "$address" -- "input:$work/args.cmd|$work/input|a  b|x & y|^(z)|it's|!x!|C:\\f\\|;,=|<|>" \
	"run:$work/args.cmd|only" "run:$work/args.cmd"
is 'a script: code, started' "$(result 0)" 'ok 1 1060'
out_has 'its arguments, its input' '  out: "a  b"\x0d
  out| "x & y"\x0d
  out| "^(z)"\x0d
  out| "it'"'"'s"\x0d
  out| "!x!"\x0d
  out| "C:\f\"\x0d
  out| ";,="\x0d
  out| "<"\x0d
  out| ">"\x0d
  out| in 1'
is 'its stderr' "$(field 0 err_out)" 10
is 'the same script again, no input' "$(result 1) $(field 1 out)" 'ok 1 1060 8'
is 'no arguments' "$(result 2) $(field 2 out)" 'ok 1 1060 0'
total_clean 'scripts'
is 'no folder is left' "$(folders)" ''

script code '@exit /b %1'
script gone '@exit %1'
script crash '@cmd /c exit -1073741510
@exit /b %errorlevel%'
windows_probe "$address" -- "run:$work/code.cmd|0" "run:$work/code.cmd|1" "run:$work/code.cmd|255" "run:$work/code.cmd|256" \
	"run:$work/code.cmd|1060" "run:$work/code.cmd|-1" "run:$work/code.cmd|2147483647" "run:$work/code.cmd|-1073741510" \
	"run:$work/gone.cmd|9009" "run:$work/crash.cmd" "run:$work/code.cmd|0"
is 'codes of 32 bits; exit ends the script alone' "$(for i in 0 1 2 3 4 5 6 7 8 9 10; do echo "$(field $i err)$(field $i exit)"; done | tr '\n' ' ')" \
	'ok0 ok1 ok255 ok256 ok1060 ok-1 ok2147483647 ok-1073741510 ok9009 ok-1073741510 ok0 '

windows_probe "$address" -- "run:$work/args.cmd|a\"b" "run:$work/args.cmd|a%b" "run:$work/args.cmd|a
b" 'exec:a
b' 'get:/etc/passwd' 'get:C:\a\..\b' "replace:C:\\x|$work/input||a\\b"
is 'what cannot be given to cmd.exe is refused' "$(for i in 0 1 2 3 4 5 6; do echo "$(field $i err)$(field $i started)"; done | tr '\n' ' ')" \
	'invalid0 invalid0 invalid0 invalid0 invalid0 invalid0 invalid0 '

# --- output
printf '\223\372\226\173\214\352 \203\145\203\130\203\147\r\n' >"$work/cp932"
printf '\000\001\377\r\n\032 behind' >"$work/bytes"
in_host sh -c 'cat >/C:/cp932' <"$work/cp932"
in_host sh -c 'cat >/C:/bytes' <"$work/bytes"
script type '@type C:\cp932
@type C:\cp932 >&2'
script flood '@for /l %%i in (1,1,20000) do @echo 0123456789012345678901234567890123456789'
windows_probe --show "$address" -- "run:$work/type.cmd" 'exec:type C:\cp932& >&2 type C:\cp932' "run,cap=1000:$work/flood.cmd" \
	'exec,cap=1000:for /l %i in (1,1,3000) do @echo 0123456789' "run:$work/code.cmd|3" 'get:C:\bytes'
is 'bytes of CP932 stay' "$(grep -c '\\x93\\xfa\\x96{\\x8c\\xea \\x83e\\x83X\\x83g\\x0d$' "$out")" 4
is 'more output than asked for' "$(result 2) $(field 2 out)" 'ok 1 0 1000+'
is 'more output of a command' "$(field 3 err) $(field 3 out)" 'ok 1000+'
is 'and the next one is right' "$(result 4) $(field 4 out)" 'ok 1 3 0'
out_has 'a file with any bytes' '  out: \x00\x01\xff\x0d
  out| \x1a behind'

# --- commands
windows_probe --show "$address" -- 'exec:echo "a & b"& echo c^&d& exit 1060' 'exec:rem x & echo no' 'exec:echo odd " & exit 5' \
	'exec:findstr x' 'exec:type C:\none' 'exec:for %i in (1 2) do @echo %i %nope% !x! 100%' 'exec:exit -5' \
	'exec:echo.| findstr /v x>nul && echo piped' 'exec:;echo x' 'exec:echo out& echo err>&2'
is 'codes of commands' "$(for i in 0 1 2 3 4 5 6 7; do echo "$(field $i err)$(field $i exit)"; done | tr '\n' ' ')" \
	'ok1060 ok0 ok0 ok1 ok1 ok0 ok-5 ok0 '
out_has 'quotes, carets' '  out: "a & b"\x0d
  out| c&d'
is 'rem ends the line' "$(field 1 out)" 0
is 'an odd quote' "$(field 2 out)" 16
out_has 'percent signs and exclamation marks stay' '  out: 1 %nope% !x! 100%'
is 'both streams' "$(field 9 out) $(field 9 err_out)" '5 5'
total_clean 'commands'

# --- files
old='old content
'
printf %s "$old" >"$work/old"
printf 'new content\r\nof another length\r\n' >"$work/new"
h=$(hash <"$work/old")
place() { in_host sh -c 'mkdir -p "${1%/*}"; cat >"$1"' sh "$1" <"$work/old"; }
seen() { in_host cat "$1"; }
listed() { in_host ls "$1" | tr '\n' ' '; }
set --
for name in "Program Files (x86)/Trend & Micro/it's/x.exe.config" 'a^b (c) !d!/e,f;g=h.config' '日本語 é/設定 ①.config' 'UPPER/x.config'; do
	place "/C:/$name"
	windows=C:\\$(printf %s "$name" | sed 's,/,\\,g')
	set -- "$@" "get:$windows" "replace:$windows|$work/new|$h|kept.bak" "replace:$windows|$work/old|$(hash <"$work/new")|kept.bak"
done
windows_probe --show "$address" -- "$@"
n=0
for name in "Program Files (x86)/Trend & Micro/it's/x.exe.config" 'a^b (c) !d!/e,f;g=h.config' '日本語 é/設定 ①.config' 'UPPER/x.config'; do
	is "$name: read" "$(result $n) $(field $n out)" 'ok 1 0 12'
	out_has "$name: its path, its mode" "file: C:\\$(printf %s "$name" | sed 's,/,\\,g') 666 0 0   links=1 size=12"
	is "$name: replaced, twice" "$(result $((n + 1))) $(result $((n + 2)))" 'ok 1 0 ok 1 0'
	is "$name: the bytes" "$(seen "/C:/$name")" "$(cat "$work/old")"
	is "$name: the first backup counts" "$(seen "/C:/${name%/*}/kept.bak")" "$(cat "$work/old")"
	is "$name: nothing else is there" "$(listed "/C:/${name%/*}")" "$(printf '%s\n' kept.bak "${name##*/}" | LC_ALL=C sort | tr '\n' ' ')"
	n=$((n + 3))
done
windows_probe "$address" -- 'get:c:\upper\X.CONFIG' "replace:c:\\Upper\\X.Config|$work/new|$h" 'get:C:\none' 'get:C:\none\none' 'get:C:\windows' \
	'get,cap=11:C:\UPPER\x.config' "replace:C:\\none|$work/new|$h" "replace:C:\\UPPER\\x.config|$work/old|$h"
is 'upper and lower case are one' "$(result 0) $(result 1)" 'ok 1 0 ok 1 0'
is 'what is not there, a folder, too large, changed' "$(for i in 2 3 4 5 6 7; do field $i err; done | tr '\n' ' ')" \
	'not-found not-found invalid limit not-found changed '
is 'and then nothing is done' "$(seen /C:/UPPER/x.config)" "$(cat "$work/new")"

place /C:/ro/f
in_host chmod 444 /C:/ro/f
windows_probe --show "$address" -- 'get:C:\ro\f' "replace:C:\\ro\\f|$work/new|$h|f.bak" 'get:C:\ro\f'
is 'a read-only file' "$(result 1)" 'ok 1 0'
is 'it is read-only again' "$(grep -c 'file: C:\\ro\\f 444 ' "$out") $(in_host stat -c %a /C:/ro/f)" '2 444'
is 'nothing else' "$(listed /C:/ro)" 'f f.bak '

# What a session that died in the middle has left: half a file, read-only since the file was.
place /C:/stale/f
printf 'new con' | in_host sh -c 'cat >/C:/stale/f.cutover-new; chmod 444 /C:/stale/f.cutover-new; mkdir /C:/stale/d; echo x >/C:/stale/d/f; mkdir /C:/stale/d/f.cutover-new'
windows_probe "$address" -- "replace:C:\\stale\\f|$work/new|$h|f.bak" "replace:C:\\stale\\d\\f|$work/new|$(echo x | hash)"
is 'a stale file of a dead session' "$(result 0) $(in_host stat -c %a /C:/stale/f) $(listed /C:/stale)" 'ok 1 0 444 d f f.bak '
is 'something else in its place' "$(result 1)" 'exists 0 0'

# hold FILE SHARE: returns when it is held; until there is a file C:\let-go.
hold() {
	rm -f "$drive/held" "$drive/let-go"
	winhost_exec 1 "C:\\windows\\hold.exe \"$1\" $2 C:\\held C:\\let-go" >"$work/hold.log" 2>&1 &
	hold_pid=$!
	wait_until "$1 is held, sharing $2" 60 test -e "$drive/held"
}
# When the command beside it has run.
let_go() {
	await 100 test -e "$drive/begun"
	rm -f "$drive/begun"
	: >"$drive/let-go"
}
place /C:/held.d/f
for share in none read; do
	hold 'C:\held.d\f' $share
	windows_probe "$address" -- 'get:C:\held.d\f' "replace,t=5000:C:\\held.d\\f|$work/new|$h" "run:$work/code.cmd|4"
	is "held, sharing $share: read" "$(field 0 err)" "$([ $share = none ] && echo busy || echo ok)"
	is "held too long, sharing $share" "$(field 1 err)" busy
	out_has "held too long, sharing $share: what is said" 'held open by another process that does not share it; nothing was changed'
	is "held too long, sharing $share: the next op" "$(result 2)" 'ok 1 4'
	is "held too long, sharing $share: nothing is changed or left" "$(seen /C:/held.d/f) $(listed /C:/held.d)" "$(cat "$work/old") f "
	let_go &
	windows_probe "$address" -- 'exec:echo.>C:\begun' "replace,t=90000:C:\\held.d\\f|$work/new|$h"
	wait $! $hold_pid
	is "held, sharing $share: waited for" "$(result 1) $(seen /C:/held.d/f)" "ok 1 0 $(cat "$work/new")"
	place /C:/held.d/f
done

place /C:/perm/f
in_host chmod 555 /C:/perm
place /C:/secret/f
in_host chmod 000 /C:/secret/f
windows_probe "$address" -- "replace:C:\\perm\\f|$work/new|$h" 'get:C:\secret\f'
is 'a folder that may not be written' "$(result 0) $(seen /C:/perm/f)" "permission 0 0 $(cat "$work/old")"
is 'a file that may not be read' "$(field 1 err)" permission

# Wine looks at drive C: by its own path.
in_host sh -c 'mkdir /C:/small && mount -t tmpfs -o size=32k none /wine/drive_c/small && head -c 20000 /dev/zero >/wine/drive_c/small/f'
head -c 30000 /dev/zero | tr '\0' n >"$work/large"
windows_probe "$address" -- "replace:C:\\small\\f|$work/large|$(in_host cat /wine/drive_c/small/f | hash)"
is 'a full disk: nothing is changed or left' "$(result 0) $(in_host stat -c %s /wine/drive_c/small/f) $(listed /wine/drive_c/small)" 'io 0 0 20000 f '
out_has 'a full disk: what is said' 'is the disk full?'
in_host umount /wine/drive_c/small
total_clean 'files'

# --- what is left running
script daemon '@start /b ping -n 61 127.0.0.1
@echo begun'
windows_probe --show "$address" -- "run:$work/daemon.cmd" "run:$work/code.cmd|5" 'exec:start /b ping -n 61 127.0.0.1& echo begun' "run:$work/code.cmd|6"
is 'a child that outlives its script' "$(result 0) $(result 1) $(result 3)" 'ok 1 0 ok 1 5 ok 1 6'
is 'and spoils nothing' "$(field 1 out) $(field 3 out)" '0 0'
if [ "$(field 1 ms)" -lt 30000 ] && [ "$(field 2 ms)" -lt 30000 ]; then pass 'nor holds anything'; else fail 'nor holds anything' "$(cat "$out")"; fi

running() { in_host ps ax | grep -q "[p]ing -n 71 "; }
ended() { ! running; }
script slow '@echo begun
@ping -n 71 127.0.0.1 >nul
@echo never'
windows_probe "$address" -- "run,t=4000:$work/slow.cmd" "run:$work/code.cmd|0"
is 'a script that does not end' "$(field 0 err) $(field 0 started)" 'timeout 1'
wait_until 'is gone on the host' 60 ended
windows_probe "$address" -- "run,cancel=4000:$work/slow.cmd"
is 'a script that is cancelled' "$(field 0 err) $(field 0 started)" 'canceled 1'
windows_probe "$address" -- 'exec,t=4000:ping -n 71 127.0.0.1' "run:$work/code.cmd|8"
is 'a command that does not end' "$(field 0 err) $(field 0 started)" 'timeout 1'
is 'disturbs nobody' "$(result 1)" 'ok 1 8'
wait_until 'they are gone, too' 60 ended
windows_probe --close-at 1500 "$address" -- "run:$work/slow.cmd" 'exec:ping -n 71 127.0.0.1' "run:$work/code.cmd|8"
is 'closed in the middle' "$(field 0 err) $(field 1 err) $(field 2 err) $(field 2 started)" 'canceled canceled canceled 0'
total_clean 'closed in the middle'

windows_probe "$address" -- "exec:ping -n 3 127.0.0.1" "exec:ping -n 3 127.0.0.1" "exec:ping -n 3 127.0.0.1" "exec:ping -n 3 127.0.0.1" \
	"exec:echo 5" "exec:echo 6" "exec:echo 7" "run:$work/code.cmd|9"
is 'several commands beside each other' "$(for i in 0 1 2 3 4 5 6 7; do echo "$(field $i err)$(field $i exit)"; done | tr '\n' ' ')" 'ok0 ok0 ok0 ok0 ok0 ok0 ok0 ok9 '

# --- a line that is cut
cut() {
	await 90 running
	in_host sh -c 'ps ax | sed -n "s/^ *\([0-9]*\) .*[s]shd: Administrator.*/\1/p" | xargs kill -9'
}
# What is told is that it may have begun (started=1) and no more; the engine then looks again.
cut &
windows_probe "$address" -- "run:$work/slow.cmd" 'exec:ping -n 71 127.0.0.1' "run:$work/code.cmd|8"
wait $!
is 'a line that is cut' "$(field 0 err) $(field 0 started) $(field 1 err) $(field 1 started) $(field 2 err) $(field 2 started)" 'closed 1 closed 1 closed 0'
total_clean 'a line that is cut'
wait_until 'what it had started dies with it, as a rule' 60 ended

# OpenSSH for Windows may lose its job when a line is cut: what was started goes on.
script outlives '@ping -n 71 127.0.0.1 >nul 2>nul'
in_host sh -c ': >/run/winhost/no-job'
cut &
windows_probe "$address" -- "run:$work/outlives.cmd"
wait $!
is 'cut, and what it had started lives on: the same is told' "$(result 0)" 'closed 1 0'
ok 'it lives' running
windows_probe "$address" -- "run:$work/code.cmd|12" 'exec:exit 13'
is 'it disturbs no other session' "$(result 0) $(result 1)" 'ok 1 12 ok 1 13'
ok 'which does not end it' running
in_host sh -c 'rm /run/winhost/no-job; ps ax | sed -n "s/^ *\([0-9]*\) .*[p]ing -n 71 .*/\1/p" | xargs kill -9'

# --- what it has left: another session removes it when it is a day old
left=$(folders | tail -n 1)
windows_probe "$address" -- "run:$work/args.cmd|x" 'exec:echo x' 'get:C:\ro\f'
is 'and all is well again' "$(result 0) $(result 1) $(result 2)" 'ok 1 1060 ok 1 0 ok 1 0'
ok 'the folder of a session that was cut is still there' in_host test -d "$left"
in_host sh -c 'for f in "$@"; do mkdir -p "$f" && touch -d "25 hours ago" "$f"; done' sh "$left" /C:/windows/temp/cutover-0123456789abcde /C:/windows/temp/other
wait_until 'nobody holds it' 90 ended
windows_probe --log info "$address" -- "run:$work/code.cmd|7"
is 'the next session' "$(result 0)" 'ok 1 7'
not_ok 'has removed it a day later' in_host test -e "$left"
err_has 'and says so' "removed $left, which a session that is gone had left"
ok 'and nothing of anybody else' in_host test -e /C:/windows/temp/cutover-0123456789abcde -a -e /C:/windows/temp/other
finish
