#!/bin/sh
# tests/lint/includes.sh [ROOT]
#
# Who may include what. The layers and what each is built on are read from CMakeLists.txt (cutover_layer … NEEDS), so
# there is one list: a file includes its own folder and the layers it needs, nothing above or beside. Libraries are seen
# where they belong: libssh2, curl and DNS in transport/, SQLite in journal/, libuv in transport/, engine/, journal/ and
# the command files. Tests may include what they test. Needs awk; leaves nothing behind.
set -eu
. "$(dirname "$0")/../lib/tap.sh"

# The offending lines of the tree at $1, as "FILE:LINE: what"; the last line is "looked N LAYERS".
violations() {
	(cd "$1" && find orchestrator agents inventory schema -name '*.[ch]' | sort | xargs awk '
	function layer_of(path,   l, best, n) {
		n = 0; best = "program"
		for (l in folder)
			if (index(path, folder[l] "/") == 1 && length(folder[l]) > n) { best = l; n = length(folder[l]) }
		return best
	}
	function may(from, to) {
		return from == to || from == "program" || index(" " needs[from] " ", " " to " ")
	}
	# Folders of the include path: the root and orchestrator/; else beside the file.
	function target(name,   f, l) {
		for (l in folder) {
			f = folder[l]
			if (index(name, f "/") == 1 || index("orchestrator/" name, f "/") == 1)
				return layer_of(index(name, f "/") == 1 ? name : "orchestrator/" name)
		}
		return name ~ /\// ? "outside" : ""
	}
	function complain(what) { printf "%s:%d: %s\n", FILENAME, FNR, what }
	BEGIN {
		while ((getline line < "CMakeLists.txt") > 0) {
			if (line ~ /^cutover_layer\(/) { text = line } else { text = text " " line }
			if (line !~ /\)$/) continue
			if (text !~ /^cutover_layer\(/) continue
			gsub(/[()]/, " ", text); n = split(text, word, " ")
			folder[word[2]] = word[3]; list = ""
			for (i = 4; i <= n && word[i] != "NEEDS"; i++);
			for (i++; i <= n && word[i] !~ /^(LIBS|EMBED)$/; i++) list = list " " word[i]
			needs[word[2]] = list; text = ""
		}
	}
	FNR == 1 { files++; me = layer_of(FILENAME); seen[me] = 1; if (FILENAME ~ /\.c$/) sources++ }
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		name = $0; sub(/^[^"]*"/, "", name); sub(/".*/, "", name)
		to = target(name)
		if (name ~ /\.\./) complain("includes " name ": no way up by ..")
		else if (to == "outside") complain("includes " name ": in no layer")
		else if (to == "") { # beside the file; a program file is only beside program files
			if (me != "program" && system("test -f " folder[me] "/" name)) complain("includes " name ": not in " folder[me])
		}
		else if (!may(me, to)) complain(me " includes " name " of " to ": it is not built on it")
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		name = $0; sub(/^[^<]*</, "", name); sub(/>.*/, "", name)
		if (name ~ /^(libssh2|curl\/|ares|arpa\/nameser|resolv\.h|netdb\.h)/ && me != "transport") complain(name " outside of transport")
		if (name ~ /^uv/ && me !~ /^(transport|engine|journal)$/ && (me != "program" || FILENAME ~ /\/(opt|exit|terminal)[^\/]*$/)) complain(name " in " me)
		if (name ~ /^sqlite3/ && me != "journal") complain(name " outside of journal")
	}
	END { n = 0; for (l in seen) n++; printf "looked %d %d %d\n", files, sources, n }')
}

# check NAME ROOT
check() {
	violations "$2" >"$work/found"
	grep -v '^looked ' "$work/found" >"$work/bad" || true
	if [ -s "$work/bad" ]; then
		fail "$1" "$(cat "$work/bad")"
	else
		pass "$1"
	fi
}

root=${1:-$(dirname "$0")/../..}

# It finds what it is for: a small tree with one of each.
tree=$work/tree
mkdir -p "$tree/orchestrator/base" "$tree/orchestrator/engine" "$tree/orchestrator/report" "$tree/agents/edit" \
	"$tree/inventory" "$tree/schema"
cat >"$tree/CMakeLists.txt" <<'TXT'
cutover_layer(base   orchestrator/base   LIBS X)
cutover_layer(schema schema NEEDS base)
cutover_layer(edit   agents/edit NEEDS base)
cutover_layer(agents agents NEEDS edit
              schema base EMBED agents/remote/*.sh)
cutover_layer(engine orchestrator/engine NEEDS agents base LIBS X)
cutover_layer(report orchestrator/report NEEDS base)
TXT
touch "$tree/orchestrator/engine/step.h" "$tree/orchestrator/base/err.h" "$tree/agents/agent.h" "$tree/agents/edit/xml.h"
bad() {
	echo "#include $2" >"$tree/$1"
	violations "$tree" >"$work/found"
	ok "finds: $1 includes $2" grep -q "^$1:1: " "$work/found"
	rm "$tree/$1"
}
good() {
	echo "#include $2" >"$tree/$1"
	check "allows: $1 includes $2" "$tree"
	rm "$tree/$1"
}
bad orchestrator/base/a.c '"engine/step.h"'
bad orchestrator/report/a.c '"engine/step.h"'
bad orchestrator/engine/a.c '"agents/edit/xml.h"'
bad orchestrator/engine/a.c '"opt.h"'
bad orchestrator/engine/a.c '"../base/err.h"'
bad orchestrator/engine/a.c '"tests/lib/unit.h"'
bad agents/edit/a.c '"agents/agent.h"'
bad orchestrator/engine/a.c '<libssh2.h>'
bad orchestrator/report/a.h '<uv.h>'
bad orchestrator/engine/a.c '<sqlite3.h>'
bad orchestrator/opt.c '<uv.h>'
good orchestrator/engine/a.c '<uv.h>'
good orchestrator/cmd_run.c '<uv.h>'
good orchestrator/cmd_run.c '"engine/step.h"'
good orchestrator/engine/a.c '"agents/agent.h"'
good agents/a.c '"agents/edit/xml.h"'
good orchestrator/engine/a.c '"base/err.h"'

check 'the project keeps to its layers' "$root"
looked=$(sed -n 's/^looked //p' "$work/found")
echo "looked at (files, sources, layers): $looked"
# Fewer than that and it was the wrong place.
ok 'it looked at files of every layer' awk -v seen="$looked" 'BEGIN { split(seen, n, " "); exit !(n[1] >= 50 && n[2] >= 25 && n[3] >= 8) }'
finish
