# shellcheck shell=sh
# A JSON Schema validator (npm: ajv) for shell tests; sourced behind lib/tap.sh.
#
#     ajv_or_skip 'reports are what the schema says'     installs it, or skips aloud and ends the test
#     ajv_run SCRIPT.mjs ARGUMENT...                     runs a script of tests/cli/ajv; its `ok` lines become checks
#
# The packages are pinned in tests/cli/ajv and kept in build/npm/ajv; the npm registry is needed for the first run. Tests
# that run side by side wait for each other's install.

# work, out: tap.sh's.
# shellcheck disable=SC2154
ajv_root=$(cd "$(dirname "$0")/../.." && pwd)
ajv_npm=$ajv_root/build/npm/ajv

ajv_install() {
	# The lock file's bytes name what is installed: a changed one is installed anew.
	if [ -f "$ajv_npm/.installed" ] && cmp -s "$ajv_root/tests/cli/ajv/package-lock.json" "$ajv_npm/.installed"; then
		return 0
	fi
	cp "$ajv_root/tests/cli/ajv/package.json" "$ajv_root/tests/cli/ajv/package-lock.json" "$ajv_npm/" &&
		(cd "$ajv_npm" && timeout 300 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) &&
		cp "$ajv_root/tests/cli/ajv/package-lock.json" "$ajv_npm/.installed"
}

ajv_or_skip() {
	for ajv_tool in node npm; do
		if ! command -v "$ajv_tool" >/dev/null; then
			skip "$1" "there is no $ajv_tool (deploy/deps.sh --tests installs it)"
			finish
		fi
	done
	mkdir -p "$ajv_npm"
	# shellcheck disable=SC2154
	if ! (flock 9 && ajv_install) >"$work/npm.log" 2>&1 9>"$ajv_npm/.lock"; then
		skip "$1" "npm cannot install ajv: $(tail -n 3 "$work/npm.log" | tr '\n' ' ')"
		finish
	fi
}

ajv_run() {
	ajv_script=$1
	shift
	run_in "$ajv_npm" node "$ajv_root/tests/cli/ajv/$ajv_script" "$@"
	status_is "the validator ran" 0
	while IFS= read -r ajv_line; do
		case $ajv_line in
		'ok '*) pass "${ajv_line#ok }" ;;
		'not ok '*) fail "${ajv_line#not ok }" ;;
		esac
	done <"$out"
}
