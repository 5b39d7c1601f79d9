# Runs one command on a channel of its own; its stdout and stderr are the channel's. Set are N and n as for shell.sh,
# O (LC_ALL as it was), D (the resident shell's folder), X (the request's number), E (1: elevated). The command follows
# on stdin as lines up to "@N ."; it becomes a private file, so that nobody sees it in `ps`.
#
#	stderr: @N X start PID GROUP (by the file itself), @N X exit CODE, or @N X fail write WHY
#	stdout: @N X begin (by the file itself), @N X out
#
# Both ends are marked, so that all output is known to have come without waiting for the channel's end: a daemon that
# the command left behind may hold that for as long as it lives.
umask 077
F='write'
while IFS= read -r l; do
	if [ "$l" = "@$N ." ]; then
		F=
		break
	fi
	printf '%s\n' "$l" || break
done >"$D/x$X"
if [ -n "$F" ]; then
	e=$(head -c 65536 /dev/zero 2>&1 >"$D/x$X")
	true >"$D/x$X"
	printf '\n@%s %s fail write %s\n' "$N" "$X" "$e" >&2
	exit 1
fi
if [ -n "$O" ]; then LC_ALL=$O; else unset LC_ALL; fi
S=
command -v setsid >/dev/null 2>&1 && S='setsid'
# What this shell itself says ("Killed") is not the command's. In parentheses, since dash redirects itself, too, for as
# long as it waits.
exec 3>&2 2>/dev/null
if [ "$E" = 1 ]; then
	(exec $S sudo -n -- /bin/sh "$D/x$X" </dev/null 2>&3 3>&-)
else
	(exec $S /bin/sh "$D/x$X" </dev/null 2>&3 3>&-)
fi
c=$?
printf '\n@%s %s exit %s\n' "$N" "$X" "$c" >&3
printf '\n@%s %s out\n' "$N" "$X"
rm -f "$D/x$X"
