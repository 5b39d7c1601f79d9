# shellcheck shell=sh
# A mail server that is reached by `via: {command}` into a namespace of its own, for shell tests; sourced behind lib/tap.sh. What it
# is else (its network, its files) is the test's.
#
#     mail_host_files          keys of the host and of its user, settings of an sshd on its loopback: $work/sshd_config. $pin
#     mail_host_is_there LOG   waits for that sshd, which writes LOG; ends the test where it does not come up
#     step_of STEP TARGET KEY  what the report of $state says of it
#     has NAME TEXT PART       PART is in TEXT

# work, failed, CUTOVER, state: of tap.sh and the test; pin is the test's.
# shellcheck disable=SC2154,SC2034
mail_host_files() {
	ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$work/key"
	cp "$work/key.pub" "$work/authorized_keys"
	pin=$(ssh-keygen -lf "$work/host_key.pub" | awk '{ print $2 }')
	cat >"$work/sshd_config" <<-X
		ListenAddress 127.0.0.1:2222
		HostKey $work/host_key
		AuthorizedKeysFile $work/authorized_keys
		StrictModes no
		UsePAM no
		PasswordAuthentication no
		PidFile none
	X
}

mail_host_is_there() {
	wait_until 'the mail server is there' 30 grep -q 'Server listening' "$1"
	[ "$failed" = 0 ] || { cat "$1"; finish; }
}

step_of() {
	"$CUTOVER" report --state "$state" --format json >"$work/report.json" 2>/dev/null
	jq -r --arg step "$1" --arg target "$2" --arg key "$3" \
		'.tenants[0].steps[] | select(.step == $step and .target == $target) | .[$key]' "$work/report.json"
}

has() { case $2 in *"$3"*) pass "$1" ;; *) fail "$1" "$2" ;; esac }
