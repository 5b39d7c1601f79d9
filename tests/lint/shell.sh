#!/bin/sh
# tests/lint/shell.sh [ROOT]
#
# ShellCheck over every .sh file; as POSIX sh over those that run on customers' hosts (agents/remote,
# orchestrator/transport/remote), which have dash, busybox or ksh. Said aloud where shellcheck is missing. Leaves
# nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

# What it says of programs for other programs in single quotes, and of functions that are called by name.
NOISE=SC2016,SC2317

root=$(cd "${1:-$(dirname "$0")/../..}" && pwd)

scripts() {
	(cd "$root" && find . -name '*.sh' -type f ! -path './build/*' ! -path './.git/*' ! -path '*/node_modules/*') | sed 's,^\./,,' | sort
}

check() {
	case $1 in
	agents/remote/* | orchestrator/transport/remote/*) ok "$1 (POSIX sh)" shellcheck -s sh -e "$NOISE" "$1" ;;
	*) ok "$1" shellcheck -x -P SCRIPTDIR -e "$NOISE" "$1" ;;
	esac
}

if command -v shellcheck >/dev/null; then
	cd "$root"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\nrm $1\n' >"$work/bad.sh"
	not_ok 'finds an unquoted word' shellcheck "$work/bad.sh"
	# shellcheck disable=SC2016
	printf 'a=(1 2)\necho "${a[0]}"\n' >"$work/bad.sh"
	not_ok 'finds what is not POSIX' shellcheck -s sh "$work/bad.sh"
	scripts >"$work/list"
	while read -r script; do
		check "$script"
	done <"$work/list"
	ok 'it looked at scripts' test "$(wc -l <"$work/list")" -ge 10
else
	skip 'shell scripts' 'shellcheck is not here (deploy/deps.sh --tests installs it)'
fi
finish
