# The resident shell: one for each session. It takes requests on stdin and answers on stdout (ssh_shell.c knows the
# other half). N, the session's nonce, and n, a newline, are set; LC_ALL is C, so that read takes bytes as they are.
#
#	@N put NAME	then lines up to "@N .": a private file
#	@N run NUMBER ELEVATED CAP INPUT
#			runs the file rNUMBER, with the decoded file bNUMBER as stdin where INPUT is 1
#
# It answers with marks, each behind a newline of its own:
#
#	@N hello 1 UMASK GROUP FOLDER	or	@N nofolder
#	@N NUMBER start PID GROUP	(by rNUMBER itself, see ssh_text.c)
#	@N NUMBER fail write|decode WHY	nothing was run
#	@N NUMBER end CODE OUT SENT ERR SENT, the bytes sent, @N NUMBER done
#
# Outputs go to private files, new ones for each request: a daemon that keeps one open neither holds nor spoils what
# comes later. `true >file`, since a failed redirection of `:` would end the shell.
# shellcheck disable=SC2154
set -f
U=$(umask)
umask 077
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
export PATH LC_ALL
G=0
read -r _ _ _ _ G _ 2>/dev/null </proc/self/stat
S=
command -v setsid >/dev/null 2>&1 && S='setsid'

# 4 KB are written to see that the disk is not full: then the next place may do.
D=
for t in "${TMPDIR:-}" /tmp /var/tmp "${HOME:-}"; do
	case $t in *"$n"* | [!/]* | '') continue ;; esac
	t=$t/.cutover.$N
	mkdir "$t" 2>/dev/null || continue
	D=$t
	printf '%4096s\n' x 2>/dev/null >"$t/t" && break
	D=
	rm -rf "$t"
done
if [ -z "$D" ]; then
	printf '\n@%s nofolder\n' "$N"
	exit 1
fi
trap 'rm -rf "$D"' EXIT
trap 'exit 1' HUP INT PIPE TERM

put() {
	while IFS= read -r l && [ "$l" != "@$N ." ]; do
		printf '%s\n' "$l" || F='write'
	done >"$D/$1" || F='write'
}

decode() {
	if command -v base64 >/dev/null 2>&1; then
		base64 -d
	else
		openssl base64 -d
	fi
}

run() {
	i=/dev/null
	true >"$D/o$1" && true >"$D/e$1" || F='write'
	if [ "$4" = 1 ]; then
		i=$D/i$1
		decode <"$D/b$1" >"$i" || F='decode'
	fi
	if [ -n "$F" ]; then
		# dash says "I/O error" and no more; a program says why.
		e=$(head -c 65536 /dev/zero 2>&1 >"$D/t")
		printf '\n@%s %s fail %s %s\n' "$N" "$1" "$F" "$e"
		F=
		clear "$1"
		return
	fi
	# In parentheses: what this shell says of it ("Killed") would go to the same file in dash.
	if [ "$2" = 1 ]; then
		(exec $S sudo -n -- /bin/sh "$D/r$1" <"$i" 2>>"$D/e$1")
	else
		(exec $S /bin/sh "$D/r$1" <"$i" 2>>"$D/e$1")
	fi
	report "$1" "$?" "$3"
	clear "$1"
}

# Nothing of a request stays on the disk.
clear() {
	for f in "o$1" "e$1" "i$1" "b$1" "r$1" t; do
		[ -s "$D/$f" ] && true >"$D/$f"
	done
}

report() {
	os=0 es=0
	if [ -s "$D/o$1" ] || [ -s "$D/e$1" ]; then
		# shellcheck disable=SC2046
		set -- "$1" "$2" "$3" $(cd "$D" && exec wc -c "o$1" "e$1")
		os=$4 es=$6
	fi
	on=$os en=$es
	[ "$on" -le "$3" ] || on=$3
	[ "$en" -le "$3" ] || en=$3
	if [ "$on$en" = 00 ]; then
		printf '\n@%s %s end %s %s %s %s %s\n\n@%s %s done\n' "$N" "$1" "$2" "$os" 0 "$es" 0 "$N" "$1"
		return
	fi
	printf '\n@%s %s end %s %s %s %s %s\n' "$N" "$1" "$2" "$os" "$on" "$es" "$en"
	[ "$on" = 0 ] || head -c "$on" "$D/o$1"
	[ "$en" = 0 ] || head -c "$en" "$D/e$1"
	printf '\n@%s %s done\n' "$N" "$1"
}

F=
printf '\n@%s hello 1 %s %s %s\n' "$N" "$U" "$G" "$D"
while IFS= read -r l; do
	case $l in
	"@$N put "*) put "${l##* }" ;;
	"@$N run "*)
		# shellcheck disable=SC2086
		set -- $l
		run "$3" "$4" "$5" "$6"
		;;
	esac
done
