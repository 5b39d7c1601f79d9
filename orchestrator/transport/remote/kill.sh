# Ends a process group that has run too long: TERM, up to two seconds, KILL. Set are P (its first process), G (its
# group; 0: it has none of its own, then P alone is ended) and E (1: it runs elevated).
# shellcheck disable=SC2016 # expanded by the shell that runs it
k='
t=$1
kill -TERM "$t" 2>/dev/null || { t=$2; kill -TERM "$t" 2>/dev/null; } || exit 0
i=0
while [ "$i" -lt 20 ] && kill -0 "$t" 2>/dev/null; do
	sleep 0.1 2>/dev/null || sleep 1
	i=$((i + 1))
done
kill -KILL "$t" 2>/dev/null
exit 0'
if [ "$G" = 0 ]; then set -- "$P" "$P"; else set -- "-$G" "$P"; fi
if [ "$E" = 1 ]; then
	sudo -n -- /bin/sh -c "$k" sh "$@"
else
	/bin/sh -c "$k" sh "$@"
fi
