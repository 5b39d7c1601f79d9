#!/bin/sh
# tests/lint/readmes.sh [ROOT]
#
# Each top-level folder and each folder that is a library (cutover_layer in CMakeLists.txt) has a README.md, of a page at
# most: what it holds, what it must not know, where to start reading. Leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

PAGE_LINES=80

folders() {
	(
		cd "$1"
		for folder in */; do
			[ "$folder" = build/ ] || echo "${folder%/}"
		done
		sed -n 's/^cutover_layer([a-z]* *\([a-z/]*\).*/\1/p' CMakeLists.txt
		[ ! -d tests ] || find tests -mindepth 1 -maxdepth 1 -type d
	) | sort -u
}

missing() {
	folders "$1" | while read -r folder; do
		file=$1/$folder/README.md
		if [ ! -s "$file" ]; then
			# The folders of tests/ are told of in tests/README.md, but may have their own.
			case $folder in tests/*) ;; *) echo "$folder has no README.md" ;; esac
		elif [ "$(wc -l <"$file")" -gt $PAGE_LINES ]; then
			echo "$folder/README.md is longer than a page ($PAGE_LINES lines)"
		fi
	done
	[ ! -f "$1/tests/README.md" ] || find "$1/tests" -mindepth 1 -maxdepth 1 -type d | while read -r folder; do
		grep -q "${folder##*/}/" "$1/tests/README.md" || echo "tests/README.md does not tell of ${folder##*/}/"
	done
}

root=${1:-$(dirname "$0")/../..}
tree=$work/tree
mkdir -p "$tree/agents/edit" "$tree/schema"
echo 'cutover_layer(edit agents/edit NEEDS base)' >"$tree/CMakeLists.txt"
echo text | tee "$tree/agents/README.md" >"$tree/agents/edit/README.md"
is 'finds a top-level folder without one' "$(missing "$tree")" 'schema has no README.md'
echo text >"$tree/schema/README.md"
rm "$tree/agents/edit/README.md"
is 'finds a library folder without one' "$(missing "$tree")" 'agents/edit has no README.md'

is 'each folder has its README.md' "$(missing "$root")" ''
ok 'the root has one' test -s "$root/README.md"
count=$(folders "$root" | wc -l)
echo "looked at $count folders"
ok 'it looked at folders' test "$count" -ge 12
finish
