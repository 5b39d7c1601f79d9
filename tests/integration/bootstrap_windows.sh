#!/bin/bash
# deploy/bootstrap/windows.cmd, run by Wine's cmd.exe on a Windows host of deploy/demo/windows. What Wine has not (net,
# netsh, dism, whoami, icacls, sc for sshd, ssh-keygen, ssh-keyscan, ping, fc, taskkill) is a stand-in with recorded texts and codes
# (windows_standin.c), in German; reg, findstr, hostname and the files are the host's. sshd itself is not: nobody logs in here.
#
# Needs root, namespaces, and the packages of deploy/deps.sh --windows. Leaves nothing behind but the template of the hosts.
set -euo pipefail
. "$(dirname "$0")/../lib/tap.sh"
root=$(realpath "$(dirname "$0")/../..")
hosts=$root/deploy/demo/windows/winhosts.sh
script=$root/deploy/bootstrap/windows.cmd
TAP_TIMEOUT_S=240

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null || ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
	skip 'the bootstrap of Windows hosts' 'it needs root, namespaces, Wine and a compiler for Windows (deploy/deps.sh --windows)'
	finish
fi
cleanup() { "$hosts" down "$work/hosts" >/dev/null 2>&1 || true; }
"$hosts" up "$work/hosts" 1 --prefix auto >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
drive='' host_name=''
eval "$("$hosts" show "$work/hosts" 1 | sed 's/^name=/host_name=/')"

not_ok 'each line ends as Windows wants it' grep -qv $'\r$' "$script"
ssh-keygen -q -t ed25519 -N '' -C 'night of acme' -f "$work/key"
ssh-keygen -q -t ed25519 -N '' -f "$work/hostkey"
key_text=$(cat "$work/key.pub") blob=$(cut -d' ' -f1,2 "$work/key.pub")
print=$(ssh-keygen -lf "$work/hostkey.pub" | cut -d' ' -f2)
standin=$drive/standin keys="$drive/ProgramData/ssh/administrators_authorized_keys"
x86_64-w64-mingw32-gcc -std=gnu17 -O2 -s -o "$work/standin.exe" "$root/tests/integration/windows_standin.c" -ladvapi32
mkdir -p "$standin/users" "$drive/boot" "$drive/windows/system32/OpenSSH"
for name in net netsh dism whoami icacls sc ping fc taskkill OpenSSH/ssh-keygen OpenSSH/ssh-keyscan; do
	rm -f "$drive/windows/system32/$name.exe"
	cp "$work/standin.exe" "$drive/windows/system32/$name.exe"
done
# Wine takes its own in the system's folder unless it is told otherwise.
{
	printf '@echo off\r\n'
	for name in net netsh dism whoami icacls ping fc taskkill; do
		printf 'reg add HKCU\\Software\\Wine\\DllOverrides /v %s.exe /t REG_SZ /d native,builtin /f >nul\r\n' $name
	done
} >"$drive/boot/ours.cmd"
"$hosts" exec "$work/hosts" 1 'C:\boot\ours.cmd' >"$work/said"
is 'the stand-ins are taken' "$("$hosts" exec "$work/hosts" 1 'reg query HKCU\Software\Wine\DllOverrides' | grep -c native)" 8
cp "$script" "$drive/boot/"
cp "$work/hostkey.pub" "$standin/hostkey.pub"
ssh-keygen -lf "$work/hostkey.pub" >"$standin/print"
printf 'Administrator\n' >"$standin/members"
cat >"$standin/sshd_config" <<-'X'
	#Port 22
	AuthorizedKeysFile	.ssh/authorized_keys
	Match Group administrators
	       AuthorizedKeysFile __PROGRAMDATA__/ssh/administrators_authorized_keys
X

# boot ARGUMENTS: a line of cmd.exe's. Its output comes with CR LF. On a busy machine Wine's cmd.exe now and then cannot start
# another cmd.exe (seen once in some twenty runs of this file), which only it would say like this: then once more, as a person would.
boot() {
	local try
	for try in 1 2; do
		: >"$standin/calls"
		run "$hosts" exec "$work/hosts" 1 "${before_it-}C:\\boot\\windows.cmd $1"
		sed -i 's/\r$//' "$out" "$err"
		grep -q "Can't recognize 'CMD.EXE /C" "$err" || return 0
		[ $try = 2 ] || echo "# Wine could not start its own cmd.exe: again"
	done
}
ours() { boot "--key \"$key_text\" --from \"${allowed-203.0.113.7,198.51.100.0/24}\" ${1-}"; }
in_registry() { "$hosts" exec "$work/hosts" 1 'reg query HKLM\SOFTWARE\cutover-bootstrap' 2>/dev/null | tr -d '\r' | grep REG_ || true; }
start_type() {
	"$hosts" exec "$work/hosts" 1 'reg query HKLM\SYSTEM\CurrentControlSet\Services\sshd /v Start' | tr -d '\r' | sed -n 's/.*REG_DWORD *//p'
}
key_line() { printf 'from="%s",no-agent-forwarding,no-X11-forwarding,no-pty %s cutover-bootstrap\r\n' "${allowed-203.0.113.7,198.51.100.0/24}" "$blob"; }
called() { grep -qF -e "$1" "$standin/calls"; }
wrong() {
	boot "$3"
	status_is "$1: exit code" "${4-2}"
	err_has "$1: said" "$2"
	out_is_empty "$1: nothing on stdout"
}

# ---- what is refused --------------------------------------------------------------------------------------------

wrong 'no key' '--key is missing' '--from 203.0.113.7'
wrong 'no address' '--from is missing' "--key \"$key_text\""
wrong 'a private key' 'is a private key' '--key "-----BEGIN OPENSSH PRIVATE KEY-----" --from 203.0.113.7'
wrong 'no key at all' 'no public key' '--key "hello world" --from 203.0.113.7'
wrong 'a pattern' 'no list of addresses' "--key \"$key_text\" --from \"*.example\""
wrong 'a bad login' 'no name of a login' "--key \"$key_text\" --from 203.0.113.7 --user \"a b\""
wrong 'an unknown argument' 'no argument --force' '--force'
wrong 'a login that is too long' '20 characters' "--key \"$key_text\" --from 203.0.113.7 --user a23456789012345678901"
: >"$standin/not-elevated"
wrong 'not elevated' 'elevated administrator' "--key \"$key_text\" --from 203.0.113.7"
rm "$standin/not-elevated"
: >"$standin/users/plain"
wrong 'a login that is no administrator' 'no administrator' "--key \"$key_text\" --from 203.0.113.7 --user plain" 3
product='HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions'
kind=$("$hosts" exec "$work/hosts" 1 "reg query $product /v ProductType" | tr -d '\r' | sed -n 's/.*REG_SZ *//p')
"$hosts" exec "$work/hosts" 1 "reg add $product /v ProductType /t REG_SZ /d LanmanNT /f" >"$work/said"
wrong 'a domain controller' "a login made here would be the whole domain's" "--key \"$key_text\" --from 203.0.113.7" 3
"$hosts" exec "$work/hosts" 1 "reg add $product /v ProductType /t REG_SZ /d ${kind:-WinNT} /f" >"$work/said"
mkdir "$drive/windows/cutover-bootstrap"
wrong 'two at once' 'another run is at work' "--key \"$key_text\" --from 203.0.113.7" 1
ok 'two at once: the other keeps its folder' rmdir "$drive/windows/cutover-bootstrap"
is 'nothing was changed' "$(in_registry)$(ls "$drive/ProgramData/ssh" 2>/dev/null)" ''
boot --remove
status_is '--remove of nothing' 0
err_has '--remove of nothing: said' 'nothing of an earlier run'

# ---- a host without sshd ----------------------------------------------------------------------------------------

ours
line="${host_name^^},192.168.1.10,22,cutover,windows,none,ssh-ed25519 $print"
status_is 'made ready' 0
is 'one line, for the inventory' "$(cat "$out")" "$line"
ok 'sshd came by dism' called 'dism /online /norestart /add-capability /capabilityname:OpenSSH.Server~~~~0.0.1.0'
is 'sshd starts with Windows' "$(start_type)" 0x2
ok 'sshd runs' test -e "$standin/running"
is 'the key, and no other' "$(cat "$keys")" "$(key_line)"
ok 'its ACL: SYSTEM and administrators alone' called 'administrators_authorized_keys /inheritance:r /grant *S-1-5-18:F /grant *S-1-5-32-544:F'
is 'the login is an administrator' "$(cat "$standin/members")" $'Administrator\ncutover'
is 'its password is random, and long' "$(cat "$standin/users/cutover")" \
	"444444444444444444444444444444444444444444444444444444444444aA1+"
is 'the firewall' "$(cat "$standin/rule")" \
	'advfirewall firewall add rule name=cutover-bootstrap dir=in action=allow protocol=TCP localport=22 remoteip=203.0.113.7,198.51.100.0/24'
is 'no private key is left, nothing is at work' "$(find "$drive/ProgramData/ssh" -name '*random*'; ls -d "$drive/windows/cutover-bootstrap" 2>/dev/null)" ''
ok 'the key is made where others cannot read' called 'cutover-bootstrap /inheritance:r /grant *S-1-5-18:(OI)(CI)F /grant *S-1-5-32-544:(OI)(CI)F'
ok 'sshd was asked for its key' called 'ssh-keyscan -T 10 -p 22 -t ed25519 127.0.0.1'
# As a 32-bit tool starts it: by its own cmd.exe, which goes on with the other one.
mkdir -p "$drive/windows/Sysnative"
cp "$drive/windows/system32/cmd.exe" "$drive/windows/Sysnative/"
before_it='set PROCESSOR_ARCHITEW6432=AMD64& '
ours --header
before_it=
status_is 'again' 0
is 'again: the same line, behind its columns' "$(cat "$out")" "host,address,port,user,os,become,host_key
$line"
not_ok 'again: nothing is added or started' grep -Eq 'add|net start|config' "$standin/calls"
is 'again: one key' "$(cat "$keys")" "$(key_line)"
allowed=198.51.100.9
ours '--address 10.0.0.5 --user second'
out_has 'another address, another login: in the line' ,10.0.0.5,22,second,
is 'another address: one key' "$(cat "$keys")" "$(key_line)"
ok 'another address: the firewall' grep -q 'remoteip=198.51.100.9$' "$standin/rule"
unset allowed
mkdir -p "$drive/Users/cutover/Documents"
boot --remove
status_is '--remove' 0
out_is_empty '--remove prints nothing'
is '--remove: the record, the keys, the rule, the login are gone' \
	"$(in_registry; find "$drive/ProgramData/ssh" -name 'administrators*'; ls "$standin/rule" "$standin/users/cutover" "$standin/users/second" "$drive/Users/cutover" 2>/dev/null || true)" ''
ok '--remove: what the login runs ends first' called 'taskkill /f /fi USERNAME eq '
is '--remove: what sshd made at its first start' "$(ls -d "$drive/ProgramData/ssh" 2>/dev/null)" ''
is '--remove: the group is as it was' "$(cat "$standin/members")" Administrator
ok '--remove: and so is sshd' called 'dism /online /norestart /remove-capability /capabilityname:OpenSSH.Server~~~~0.0.1.0'

# ---- a host that has sshd, keys, an administrator ---------------------------------------------------------------

with_sshd() {
	"$hosts" exec "$work/hosts" 1 "C:\\windows\\system32\\dism.exe /add-capability" >/dev/null || true
	"$hosts" exec "$work/hosts" 1 "C:\\windows\\system32\\net.exe start sshd" >/dev/null
}
with_sshd
sed -i 's/^#Port 22/Port 2022\nAllowUsers bob ann carl\nAllowGroups Administrators/' "$drive/ProgramData/ssh/sshd_config"
: >"$standin/users/ann"
printf 'Administrator\nann\n' >"$standin/members"
printf 'ssh-ed25519 AAAAtheirs them\r\n# no end' >"$keys"
cp "$keys" "$work/theirs"
echo '256 SHA256:another 127.0.0.1 (ED25519)' >"$standin/shown-print"
ours '--user ann'
status_is 'sshd shows another key: exit code' 1
err_has 'sshd shows another key: said' 'shows another host key (SHA256:another)'
ok 'sshd shows another key: their keys are as they were' cmp "$keys" "$work/theirs"
rm "$standin/shown-print"
ours '--user ann'
status_is 'what was there' 0
out_has 'what was there: the port that sshd has' ',2022,ann,windows,'
err_has 'what was there: the login stays' 'was here before'
ok 'what was there: their keys are before ours' grep -q '^ssh-ed25519 AAAAtheirs them' "$keys"
is 'what was there: our key' "$(tail -n 1 "$keys")" "$(key_line)"
not_ok 'what was there: its ACL is not touched' called 'icacls C:\ProgramData'
not_ok 'what was there: no capability, no login is added' grep -Eq 'dism|net user .*/add' "$standin/calls"
boot --remove
status_is 'what was there: --remove' 0
ok 'what was there: their keys, to the byte' cmp "$keys" "$work/theirs"
is 'what was there: sshd runs on, started by hand as before' "$(start_type) $(ls "$standin/running")" "0x3 $standin/running"
is 'what was there: the login is still there' "$(cat "$standin/members")" $'Administrator\nann'
ours '--user ann'
# By an editor that ends lines with LF alone.
{ tr -d '\r' <"$keys"; printf 'ssh-ed25519 AAAAlater later\n'; } >"$work/edited"
cp "$work/edited" "$keys"
boot --remove
is 'a key that came later stays, ours goes' "$(tr -d '\r' <"$keys")" "$(grep -v cutover-bootstrap "$work/edited")"
cp "$work/theirs" "$keys"

# wrong_settings NAME TEXT COMMAND: the command spoils $config.
wrong_settings() {
	export config="$drive/ProgramData/ssh/sshd_config"
	cp "$config" "$work/sshd_config"
	bash -c "$3"
	wrong "$1" "$2" "--key \"$key_text\" --from 203.0.113.7 --user ann" 3
	cp "$work/sshd_config" "$config"
}
wrong_settings 'AllowUsers' 'AllowUsers' 'sed -i "s/^AllowUsers.*/AllowUsers anna/" "$config"'
wrong_settings 'DenyUsers' 'keeps ann out' 'echo "DenyUsers  ann eve" >>"$config"'
wrong_settings 'no keys' 'PubkeyAuthentication' 'echo "PubkeyAuthentication no" >>"$config"'
wrong_settings 'no part for administrators' 'Match Group administrators' 'sed -i /__PROGRAMDATA__/d "$config"'
is 'what is in the way changes nothing' "$(in_registry)" ''

# ---- each program fails in turn, and the next run goes on from there -------------------------------------------------

"$hosts" exec "$work/hosts" 1 'C:\windows\system32\dism.exe /remove-capability' >/dev/null
rm -rf "$standin/running" "$drive/ProgramData/ssh"
left() { in_registry; ls -d "$drive/ProgramData/ssh" "$standin/rule" "$standin/users/cutover" "$standin/running" 2>/dev/null || true; }
for call in 'dism /online' 'net start' 'net localgroup Administratoren cutover' 'netsh advfirewall firewall add'; do
	echo "$call" >"$standin/fail"
	ours
	status_is "$call fails: exit code" 1
	out_is_empty "$call fails: no line"
	ok "$call fails: it says which" grep -q '^windows.cmd: ' "$err"
done
echo 'net user cutover /delete' >"$standin/fail"
boot --remove
status_is 'net user /delete fails: exit code' 1
: >"$standin/fail"
boot --remove
status_is '--remove of what was half done' 0
is '--remove of what was half done: nothing is left' "$(left)" ''
finish
