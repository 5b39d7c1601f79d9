#!/bin/sh
# tests/fuzz/run.sh [SECONDS] [TARGET...]
#
# Builds the fuzz targets (preset `fuzz`: clang, AddressSanitizer, UBSan) and runs each of them, or those named, for
# SECONDS (60), beginning with the golden files. What they find in coverage stays in build/fuzz/corpus/TARGET for the
# next time, what crashes in build/fuzz/crash-TARGET-*. Exits 1 when something crashed. Not part of tests/run.sh.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

seconds=${1:-60}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/../.."

seeds_of() {
	case $1 in
	app_config) echo tests/golden/edit/appconfig ;;
	ruby_constant) echo tests/golden/edit/ruby ;;
	crontab) echo tests/golden/edit/crontab ;;
	esac
}

fuzz() {
	mkdir -p "build/fuzz/corpus/$1"
	target=$1
	set -- "build/fuzz/corpus/$target" "$(seeds_of "$target")"
	[ ! -e "tests/fuzz/$target.dict" ] || set -- -dict="tests/fuzz/$target.dict" "$@"
	"build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -verbosity=0 \
		-artifact_prefix="build/fuzz/crash-$target-" "$@"
}

if command -v clang >/dev/null; then
	cmake --preset fuzz >/dev/null
	cmake --build --preset fuzz
	[ $# -gt 0 ] || set -- app_config crontab ruby_constant
	for target in "$@"; do
		ok "$target for $seconds s" fuzz "$target"
	done
else
	skip 'fuzz targets' 'clang is not here'
fi
finish
