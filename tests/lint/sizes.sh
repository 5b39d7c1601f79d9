#!/bin/sh
# tests/lint/sizes.sh [ROOT]
#
# Nothing is too large to be read at once: files of at most 600 lines, functions of at most 60 with a cyclomatic
# complexity of at most 20 (pmccabe; said aloud where it is missing).
# Leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

FILE_LINES=600 FUNCTION_LINES=60 COMPLEXITY=20

# sources ROOT EXTENSION...: paths below ROOT, built things left out.
sources() {
	(
		cd "$1"
		shift
		for extension in "$@"; do
			find . -name "*.$extension" -type f ! -path './build/*' ! -path './.git/*' ! -path '*/node_modules/*'
		done | sed 's,^\./,,' | sort
	)
}

long_files() {
	sources "$1" c h sh | (cd "$1" && xargs wc -l) | awk -v max="$FILE_LINES" '
		$2 != "total" && $1 > max { print $2 ": " $1 " lines" }'
}

# pmccabe's columns: complexity, the traditional one, statements, first line, lines, file(line): name
long_functions() {
	sources "$1" c | (cd "$1" && xargs pmccabe) |
		awk -v lines="$FUNCTION_LINES" -v deep="$COMPLEXITY" '$5 > lines || $1 > deep { print $6 " " $7 ": " $5 " lines, complexity " $1 }'
}

# none NAME COMMAND...: passes when it prints nothing.
none() {
	name=$1
	shift
	"$@" >"$work/found"
	if [ -s "$work/found" ]; then
		fail "$name" "$(cat "$work/found")"
	else
		pass "$name"
	fi
}

finds() {
	name=$1
	shift
	"$@" >"$work/found"
	ok "finds: $name" test -s "$work/found"
}

root=${1:-$(dirname "$0")/../..}
tree=$work/tree
mkdir -p "$tree"

awk 'BEGIN { for (i = 0; i < 601; i++) print "/* line */" }' >"$tree/long.c"
finds 'a file of 601 lines' long_files "$tree"
none "files of at most $FILE_LINES lines" long_files "$root"

if command -v pmccabe >/dev/null; then
	awk 'BEGIN { print "int f(void)\n{"; for (i = 0; i < 60; i++) print "\tg();"; print "}" }' >"$tree/long.c"
	finds 'a function of 63 lines' long_functions "$tree"
	awk 'BEGIN { printf "int f(int a)\n{\n\treturn a"; for (i = 0; i < 20; i++) printf " && a"; print ";\n}" }' >"$tree/long.c"
	finds 'a function of complexity 21' long_functions "$tree"
	none "functions of at most $FUNCTION_LINES lines, complexity at most $COMPLEXITY" long_functions "$root"
	functions=$(sources "$root" c | (cd "$root" && xargs pmccabe) | wc -l)
	echo "looked at $functions functions"
	ok 'it looked at functions' test "$functions" -ge 200
else
	skip 'functions' 'pmccabe is not here (deploy/deps.sh --tests installs it)'
fi
ok 'it looked at files' test "$(sources "$root" c h sh | wc -l)" -ge 50
finish
