#!/bin/bash
# tests/run.sh [--quick]
#
# Installs what is missing (deploy/deps.sh --tests), builds, and runs all tests:
#   release           all tests
#   asan              all but the rules of the house and the program against real hosts, under AddressSanitizer and UBSan
#   libssh2-newer     where the system's libssh2 is older than 1.11.1: the unit tests and the tests over SSH, against
#                     the newer one (deploy/libssh2-newer.sh)
# --quick: the first of the three only.
#
# A test is what ctest knows. It ends with Check's line, or with `N passed, N failed[, N skipped]`, fails when one failed, and
# says why it skips in lines that begin with `skip` (in either case). What fails is shown, but for its lines `ok ...`.
#
# The last line is `N passed, N failed, N skipped`, in test cases; exits 1 when one failed or none ran. Needs root where
# packages are missing. Leaves build/ behind: a second run builds only what has changed.
set -euo pipefail
# An "&" in ${text//a/b} is just that.
shopt -u patsub_replacement

cd "$(dirname "$0")/.."
root=$PWD
newer=$root/build/libssh2-newer
passed=0 failed=0 skipped=0
reasons=()
said=$(mktemp)
trap 'rm -f "$said"' EXIT
export UBSAN_OPTIONS=print_stacktrace=1
# Check's own limit of a minute a test case is for an idle machine without sanitizers.
export CK_TIMEOUT_MULTIPLIER=5

# add_up NAME STATUS SECONDS, the test's output in $said. STATUS: run, fail, or skip.
add_up() {
	local checks p f s
	# Check's lines are summed; of a script's closing lines the last one counts.
	read -r checks p f s < <(awk '
		/^[0-9]+%: Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+$/ {
			gsub(/[^0-9 ]/, ""); n++; bad += $3 + $4; good += $2 - $3 - $4
		}
		/^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ { p = $1; f = $3; s = $5; closed = 1 }
		END { print n + closed, good + p, bad + f, 0 + s }' "$said")
	while IFS= read -r line; do
		reasons+=("$1: $line")
	done < <(grep -iE '^skip' "$said" || true)
	case $2 in
	run)
		if ((checks == 0)); then
			if grep -qi '^skip' "$said"; then
				s=1
			else
				echo 'it ended without a line that counts its cases' >>"$said"
				f=1
			fi
		fi
		;;
	skip) ((checks > 0)) || s=1 ;;
	fail) ((f > 0)) || f=1 ;;
	esac
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	if ((f > 0)); then
		printf -- '---- %s ----\n' "$1"
		grep -v '^ok ' "$said" || true
		printf -- '---- end of %s ----\n' "$1"
	fi
	printf '%-6s %-44s %5d passed%s%s  %.1f s\n' "$( ((f > 0)) && echo FAILED || echo ok)" "$1" "$p" \
		"$( ((f > 0)) && echo ", $f failed")" "$( ((s > 0)) && echo ", $s skipped")" "$3"
}

# What is not a test but must work: shown and counted when it does not.
must() {
	local name=$1 start=$SECONDS
	shift
	if "$@" >"$said" 2>&1; then
		printf 'done   %-44s %d s\n' "$name" $((SECONDS - start))
	else
		add_up "$name" fail $((SECONDS - start))
		return 1
	fi
}

# build PRESET FOLDER. ninja configures again by itself when a CMake file has changed, but does not know the presets; and
# the quick start may have configured the same folder without tests.
build() {
	if [ ! -f "$2/build.ninja" ] || [ CMakePresets.json -nt "$2/build.ninja" ] ||
		! grep -qx 'CUTOVER_TESTS:STRING=ON' "$2/CMakeCache.txt"; then
		must "$(basename "$2"): configure" cmake --preset "$1" -B "$2" -DCUTOVER_TESTS=ON || return 1
	fi
	must "$(basename "$2"): build" cmake --build "$2" -- --quiet
}

# run_ctest FOLDER [CTEST OPTION...]. ctest's report in XML is read line by line: ctest writes each tag on its own.
run_ctest() {
	local folder=$1 report line name='' status='' seconds=0 inside=
	shift
	report=$folder/Testing/report.xml
	mkdir -p "$folder/Testing"
	rm -f "$report"
	printf '       %s: ctest, %d tests\n' "$(basename "$folder")" "$(ctest --test-dir "$folder" -N "$@" | grep -c ' Test *#')"
	ctest --test-dir "$folder" -j "$(nproc)" --timeout 1200 --output-junit "$report" \
		--test-output-size-passed 20000000 --test-output-size-failed 20000000 "$@" >"$said" 2>&1 </dev/null || true
	if [ ! -s "$report" ]; then
		add_up "$(basename "$folder"): ctest" fail 0
		return
	fi
	while IFS= read -r line; do
		if [[ $line =~ '<testcase name="'([^\"]*)'"'.*' time="'([^\"]*)'" status="'([a-z]*)'"' ]]; then
			name=${BASH_REMATCH[1]} seconds=${BASH_REMATCH[2]} status=fail
			[ "${BASH_REMATCH[3]}" != run ] || status=run
			: >"$said"
		elif [[ $line == *'<skipped message="SKIP_'* ]]; then
			status=skip
		elif [[ $line == *'</testcase>'* ]]; then
			add_up "$(basename "$folder"): $name" $status "$seconds"
		else
			[[ $line != *'<system-out>'* ]] || { inside=1 line=${line#*<system-out>}; }
			if [ -n "$inside" ]; then
				[[ $line != *'</system-out>'* ]] || { inside='' line=${line%</system-out>*}; }
				line=${line//&lt;/<} line=${line//&gt;/>} line=${line//&quot;/\"} line=${line//&apos;/\'}
				printf '%s\n' "${line//&amp;/&}" >>"$said"
			fi
		fi
	done <"$report"
}

test_release() {
	build release "$root/build/release" || return 0
	run_ctest "$root/build/release"
}

test_asan() {
	build asan "$root/build/asan" || return 0
	run_ctest "$root/build/asan"
}

# The library is looked at in what was built: a test against the older one by mistake would prove nothing.
uses_newer() {
	ldd "$1" | grep -F "libssh2.so.1 => $newer/lib/"
}

test_newer() {
	must "libssh2-newer: fetch" deploy/libssh2-newer.sh "$newer" || return 0
	if [ ! -d "$newer" ]; then
		echo "       libssh2-newer: the system's libssh2 $(pkg-config --modversion libssh2) is it already"
		return 0
	fi
	export PKG_CONFIG_PATH=$newer/lib/pkgconfig LD_LIBRARY_PATH=$newer/lib
	local folder=$root/build/release-libssh2-newer
	build release "$folder" || return 0
	must "libssh2-newer: is what the program uses" uses_newer "$folder/cutover" || return 0
	run_ctest "$folder" -L '^(unit|ssh)$'
	unset PKG_CONFIG_PATH LD_LIBRARY_PATH
}

quick=
case ${1:-} in
'') ;;
--quick) quick=1 ;;
*)
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 2
	;;
esac

if must "packages" deploy/deps.sh --tests; then
	test_release
	if [ -z "$quick" ]; then
		test_asan
		test_newer
	fi
fi

echo
for reason in "${reasons[@]}"; do
	echo "NOT TESTED: $reason"
done
((passed + failed > 0)) || echo 'no test ran'
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
