#!/bin/sh
# tests/lint/format.sh [ROOT]
#
# How text files look: no blanks at the end of a line, a newline at the end of the file, LF only; C is indented by tabs
# (8 columns) and at most 140 columns wide, but for lines with a text in quotes, which is better found whole. What is over
# 120 and what clang-format would change is only said: the first is sometimes better than its cure, and versions of the
# second differ. Needs awk and perl; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

COLUMNS_MAX=140 COLUMNS_GOOD=120

files() {
	(cd "$1" && find . \( -name '*.[ch]' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt -o -name '*.md' \) \
		-type f ! -path './build/*' ! -path './.git/*' ! -path '*/node_modules/*' ! -path './tests/golden/*') |
		sed 's,^\./,,' | sort
}

# Columns: tabs go to the next multiple of 8; bytes that continue a UTF-8 character count nothing (LC_ALL=C below).
# ugly ROOT [COLUMNS]
ugly() {
	files "$1" | (cd "$1" && LC_ALL=C xargs awk -v max="${2:-$COLUMNS_MAX}" '
		function columns(line,   n, i, part, k) {
			gsub(/[\200-\277]/, "", line)
			k = split(line, part, "\t"); n = 0
			for (i = 1; i <= k; i++) { n += length(part[i]); if (i < k) n += 8 - n % 8 }
			return n
		}
		function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }
		/\r$/ { complain("ends with CR") }
		/[ \t]$/ && FILENAME !~ /\.md$/ { complain("blanks at the end") }
		FILENAME ~ /\.[ch]$/ && length($0) > max / 2 && !/"/ && columns($0) > max { complain("wider than " max " columns") }
		FILENAME ~ /\.[ch]$/ && /^        / && !inside { complain("indented by blanks") }
		FILENAME ~ /\.[ch]$/ { inside = /\/\*/ && !/\*\// ? 1 : /\*\// ? 0 : inside }
		FNR == 1 && FILENAME !~ /\.[ch]$/ { inside = 0 }')
	files "$1" | (cd "$1" && xargs perl -ne 'print "$ARGV: no newline at its end\n" if eof && !/\n\z/')
}

root=${1:-$(dirname "$0")/../..}
tree=$work/tree
mkdir -p "$tree"
awk 'BEGIN { printf "\t\t\t\t\t\t\t/*"; for (i = 0; i < 80; i++) printf "-"; print "*/" }' >"$tree/a.c"
is 'allows a line of 140 columns' "$(ugly "$tree")" ''
awk 'BEGIN { printf "\t\t\t\t\t\t\t/*"; for (i = 0; i < 81; i++) printf "-"; print "*/" }' >"$tree/a.c"
is 'finds a wide line' "$(ugly "$tree")" 'a.c:1: wider than 140 columns'
printf 'a \n' >"$tree/a.c"
is 'finds blanks at the end' "$(ugly "$tree")" 'a.c:1: blanks at the end'
printf '        x\n' >"$tree/a.c"
is 'finds indenting by blanks' "$(ugly "$tree")" 'a.c:1: indented by blanks'
printf 'a\r\nb' >"$tree/a.c"
is 'finds CR and a missing newline' "$(ugly "$tree")" 'a.c:1: ends with CR
a.c: no newline at its end'

ugly "$root" >"$work/found"
is 'the project looks as it should' "$(head -n 40 "$work/found")" ''
count=$(files "$root" | wc -l)
echo "looked at $count files"
ok 'it looked at files' test "$count" -ge 50

wide=$(ugly "$root" "$COLUMNS_GOOD" | grep -c "wider than" || true)
echo "NOTE: $wide lines are wider than $COLUMNS_GOOD columns"
if command -v clang-format >/dev/null; then
	differ=$(files "$root" | grep '\.[ch]$' | (cd "$root" && xargs clang-format --dry-run 2>&1) |
		sed -n 's/^\([^ :]*\.[ch]\):.*/\1/p' | sort -u | wc -l)
	echo "NOTE: $(clang-format --version | sed 's/.*version/clang-format/') would change $differ files"
fi
finish
