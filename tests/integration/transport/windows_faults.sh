#!/bin/sh
# The transport against a Windows host that does it wrong: a cmd.exe that says nothing, lies, floods or dies, an SFTP server that
# ends in the middle of a packet, answers something else, or does not answer. Each ends in its time with the right class,
# nothing spins, nothing is left; and what does not end is ended where the library can tell the server to.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
here=$(cd "$(dirname "$0")" && pwd)
fake=$work/fake
mkdir -p "$fake/C/windows/temp"
cp "$here/fake_windows.pl" "$fake/"
printf '#!/bin/sh\nexec perl %s %s "$@"\n' "$fake/fake_windows.pl" "$fake" >"$fake/shell"
chmod 755 "$fake/shell"
# What plays a hanging cmd.exe hangs on.
cleanup() {
	sshd_stop
	while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done <"$fake/pids"
}
sshd_prepare
add_user tfake 61020 "$fake/shell"
chown -R 61020:61020 "$fake"
sshd_start 'Subsystem sftp fake-sftp'
probe_user=tfake

of() { grep "^127\.[0-9.]* $1 err=" "$out"; }
field() { of "$1" | tr ' ' '\n' | sed -n "s/^$2=//p" | head -n 1; }
result() { echo "$(field "$1" err) $(field "$1" started) $(field "$1" exit)"; }
opened() { sed -n 's/^127[0-9.]* open err=\([^ ]*\).*/\1/p' "$out"; }
total() { tail -n 1 "$out" | tr ' ' '\n' | sed -n "s/^$1=//p"; }
faulty() { echo "$1" >"$fake/fault"; }
win() { probe --windows --budget shell=2000 --show 127.0.0.1 -- "$@"; }
# Nothing is left, and it did not spin: a probe takes some ten milliseconds.
quiet() {
	is "$1: nothing is left" "$(total handles) $(total fds)" 'none none'
	if [ "$(total cpu_ms | cut -d . -f 1)" -lt "${2:-700}" ]; then pass "$1: it does not spin"; else fail "$1: it does not spin" "$(tail -n 1 "$out")"; fi
}
: >"$work/x.cmd"
printf 'old' >"$fake/C/f"
chown 61020 "$fake/C/f"
printf 'new' >"$work/new"
old=$(sha256sum <"$fake/C/f" | cut -d ' ' -f 1)
x=$work/x.cmd

faulty none
win "run:$x|1060" 'exec:7' 'get:C:\f' "run:$x|-5"
is 'without a fault' "$(result 0) $(result 1) $(result 2) $(result 3)" 'ok 1 1060 ok 1 7 ok 1 0 ok 1 -5'
out_has 'its output' '  out: ran 1060'
out_has 'the output of a command' '  out: did 7\x0d'
is 'the folder is gone' "$(ls "$fake/C/windows/temp")" ''
quiet 'without a fault'

for f in mute sftp-mute; do
	faulty $f
	win "run:$x|0"
	is "$f" "$(opened)" timeout
	quiet "$f"
done
for f in gone noroot sftp-none sftp-garbage; do
	faulty $f
	win "run:$x|0"
	is "$f" "$(opened)" "$([ $f = sftp-none ] && echo closed || echo protocol)"
	quiet "$f"
done
faulty gone
win
out_has 'gone: what is said' 'the account tfake cannot run cmd.exe (is it a Windows host?'
faulty sftp-none
win
out_has 'no SFTP: what is said' 'the SFTP server on the host has ended'

for f in number twice flood; do
	faulty $f
	win "run,t=5000:$x|0" "run,t=5000:$x|1"
	is "$f" "$(field 1 err)" closed
	out_has "$f: the session is given up" 'does not keep to the protocol'
	quiet "$f"
done
faulty size
win "run:$x|0" "run:$x|1"
is 'a size that is not true' "$(field 0 out) $(result 1)" '6+ ok 1 1'
faulty die
win "run:$x|0" "run:$x|1"
is 'cmd.exe dies' "$(field 0 err)$(field 0 started) $(field 1 err)$(field 1 started)" 'closed1 closed0'
win 'exec:0' "get:C:\\f"
is 'the cmd.exe of a command dies' "$(field 0 err)$(field 0 started) $(result 1)" 'closed1 ok 1 0'
faulty halfmark
win 'exec:0'
is 'a command that ends, and its output does not' "$(field 0 err)" protocol

for f in sftp-half sftp-cut sftp-huge sftp-flood; do
	faulty $f
	win "run,t=2000:$x|0" "run:$x|1"
	case $f in
	sftp-half | sftp-cut) is "$f" "$(field 0 err)$(field 0 started)" closed0 ;;
	*) is "$f" "$(field 0 err)$(field 0 started)" protocol0 ;;
	esac
	quiet "$f"
	win "replace,t=2000:C:\\f|$work/new|$old|f.bak"
	is "$f: a file" "$(field 0 started) $(cat "$fake/C/f")" '0 old'
	quiet "$f: a file"
done
faulty sftp-long
win 'get:C:\f'
is 'more data than was asked for' "$(field 0 err) $(field 0 out)" 'protocol 0'
quiet 'more data'

# --- time is up
faulty none
win "run,t=1000:$x|slow" "run:$x|3" 'exec:4'
version=$("$probe_bin" --version-of-libssh2)
case $version in
1.10.*)
	is "a script that does not end ($version): with the session" "$(field 0 err)$(field 0 started) $(field 1 err)$(field 1 started)" 'timeout1 closed0'
	;;
*)
	is "a script that does not end ($version): with its cmd.exe" "$(field 0 err)$(field 0 started)" timeout1
	out_has 'what is said' 'not finished in its time, and ended on the host'
	is 'another cmd.exe does the next' "$(result 1) $(result 2)" 'ok 1 3 ok 1 4'
	win "run,t=1000:$x|slow" "run,t=1000:$x|slow" "run:$x|3"
	is 'twice' "$(field 0 err) $(field 1 err) $(result 2)" 'timeout timeout ok 1 3'
	win 'exec,t=1000:slow' "run:$x|3"
	is 'a command that does not end' "$(field 0 err)$(field 0 started) $(result 1)" 'timeout1 ok 1 3'
	out_has 'what is said of a command' 'ended on the host'
	;;
esac
quiet 'a script that does not end'
win 'exec,t=1500,cap=1000:flood' "run:$x|3"
is 'a flood' "$(field 0 err) $(field 0 out) $(result 1)" 'timeout 1000+ ok 1 3'
finish
