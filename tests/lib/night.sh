# shellcheck shell=sh
# Nights in which the controller is killed, for shell tests; sourced behind lib/tap.sh. It reads $kills (how many in all),
# $span (the longest life of a run that is killed, seconds) and $nights, and counts in $killed.
#
#     killed_run INVENTORY STATE PATIENCE_S    cutover run, killed with SIGKILL at a random moment and run again, until a
#                                              run ends by itself: $status, $out and $err are that one's. When all kills
#                                              are spent, a run has PATIENCE_S seconds

# kills, span, nights, out, err: of tap.sh and the test; tap_ran is read by tap.sh.
# shellcheck disable=SC2154,SC2034
killed_run() {
	status=137
	while [ "$status" = 137 ]; do
		# Runs after a kill are as long as what is left of the work.
		delay=$(awk -v seed="$nights$killed" -v most="$span" 'BEGIN { srand(seed); printf "%.3f", 0.05 + rand() * most }')
		[ "$killed" -lt "$kills" ] || delay=$3
		status=0
		tap_ran="cutover run, night $nights"
		timeout -s KILL "$delay" "$CUTOVER" run "$1" --state "$2" --yes --concurrency 10 \
			>"$out" 2>"$err" </dev/null || status=$?
		[ "$status" != 137 ] || killed=$((killed + 1))
	done
}
