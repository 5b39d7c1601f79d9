# shellcheck shell=sh
# The common ground of the shell tests; POSIX sh, sourced:
#
#     . "$(dirname "$0")/../lib/tap.sh"
#     run "$CUTOVER" frobnicate
#     status_is 'an unknown command' 2
#     err_has 'and it is named' "no command 'frobnicate'"
#     finish
#
# Each check prints `ok NAME` or `not ok NAME` with what was seen, and counts. finish prints `N passed, N failed[, N
# skipped]` as the last line and exits 1 when one failed or none was made. Needs no tool beyond POSIX and timeout(1).
#
# It leaves nothing behind: $work is a folder of its own, removed at the end with what is in it. Two variables come from
# outside: CUTOVER, the program, and CUTOVER_BUILD, the build's folder (need_program says so where they are missing).

passed=0 failed=0 skipped=0
work=$(mktemp -d)
out=$work/.stdout err=$work/.stderr
status=0
: "${TAP_TIMEOUT_S:=180}" # a machine that does other things, too, and sanitizers

# What is to be done at the end beside removing $work: cleanup is replaced by tests that start something.
cleanup() { :; }
trap 'cleanup; chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

pass() {
	passed=$((passed + 1))
	echo "ok $1"
}

# fail NAME [WHAT WAS SEEN]
fail() {
	failed=$((failed + 1))
	echo "not ok $1"
	[ -z "${2-}" ] || printf '%s\n' "$2" | sed 's/^/    /'
}

# skip NAME REASON: said aloud, and counted.
skip() {
	skipped=$((skipped + 1))
	echo "SKIP $1: $2"
}

# ok NAME COMMAND...: passes when the command exits with 0. What the command says is shown when it does not.
ok() {
	tap_name=$1
	shift
	if tap_said=$("$@" 2>&1); then
		pass "$tap_name"
	else
		fail "$tap_name" "$*
$tap_said"
	fi
}

# not_ok NAME COMMAND...: passes when it does not.
not_ok() {
	tap_name=$1
	shift
	if tap_said=$("$@" 2>&1); then
		fail "$tap_name" "it succeeded: $*
$tap_said"
	else
		pass "$tap_name"
	fi
}

# is NAME SEEN WANTED
is() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "seen:   $2
wanted: $3"
	fi
}

# run COMMAND...: its exit code in $status, its output in the files $out and $err; stdin is empty. One that does not end
# in $TAP_TIMEOUT_S seconds is killed, $status is 124 then.
run() {
	tap_ran=$*
	status=0
	timeout -k 5 "$TAP_TIMEOUT_S" "$@" >"$out" 2>"$err" </dev/null || status=$?
}

# run_in FOLDER COMMAND...
run_in() {
	tap_folder=$1
	shift
	tap_ran="(cd $tap_folder) $*"
	status=0
	(cd "$tap_folder" && exec timeout -k 5 "$TAP_TIMEOUT_S" "$@") >"$out" 2>"$err" </dev/null || status=$?
}

tap_seen() {
	echo "$tap_ran"
	echo "status $status"
	[ "$status" != 124 ] || echo "it did not end in $TAP_TIMEOUT_S s"
	sed 's/^/stdout: /' "$out" | head -n 40
	sed 's/^/stderr: /' "$err" | head -n 40
}

# Of the last run. status_is NAME CODE; out_has, err_has, out_lacks, err_lacks NAME TEXT (a fixed string).
status_is() {
	if [ "$status" = "$2" ]; then
		pass "$1"
	else
		fail "$1" "wanted status $2
$(tap_seen)"
	fi
}

tap_has() {
	if grep -qF -e "$3" "$2"; then
		pass "$1"
	else
		fail "$1" "wanted: $3
$(tap_seen)"
	fi
}

tap_lacks() {
	if grep -qF -e "$3" "$2"; then
		fail "$1" "not wanted: $3
$(tap_seen)"
	else
		pass "$1"
	fi
}

out_has() { tap_has "$1" "$out" "$2"; }
err_has() { tap_has "$1" "$err" "$2"; }
out_lacks() { tap_lacks "$1" "$out" "$2"; }
err_lacks() { tap_lacks "$1" "$err" "$2"; }
out_is_empty() { is "$1" "$(head -c 300 "$out")" ''; }
err_is_empty() { is "$1" "$(head -c 300 "$err")" ''; }

# refuses NAME TEXT COMMAND...: exit code 2, TEXT on stderr, nothing on stdout. Three checks.
refuses() {
	tap_what=$1 tap_text=$2
	shift 2
	run "$@"
	status_is "$tap_what: exit code" 2
	err_has "$tap_what: says why" "$tap_text"
	out_is_empty "$tap_what: nothing on stdout"
}

# wait_until NAME SECONDS COMMAND...: asks again and again until the command exits with 0; a check that fails when the time
# is over.
wait_until() {
	tap_name=$1 tap_turns=$(($2 * 20)) tap_nap=0.05
	shift 2
	while ! "$@" >/dev/null 2>&1; do
		tap_turns=$((tap_turns - 1))
		if [ "$tap_turns" -le 0 ]; then
			fail "$tap_name" "it did not come: $*"
			return 0
		fi
		sleep "$tap_nap"
	done
	pass "$tap_name"
}

need_program() {
	if [ -z "${CUTOVER-}" ] || [ ! -x "$CUTOVER" ]; then
		echo "CUTOVER names no program: CUTOVER=build/debug/cutover $0" >&2
		exit 1
	fi
	case $CUTOVER in
	/*) ;;
	*) CUTOVER=$PWD/$CUTOVER ;;
	esac
	# The tests say which state file and how it looks; the one who runs them does not.
	unset CUTOVER_STATE NO_COLOR
}

finish() {
	if [ $((passed + failed + skipped)) = 0 ]; then
		failed=1
		echo 'not ok: nothing was checked'
	fi
	tap_line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || tap_line="$tap_line, $skipped skipped"
	echo "$tap_line"
	[ "$failed" = 0 ] || exit 1
	exit 0
}
