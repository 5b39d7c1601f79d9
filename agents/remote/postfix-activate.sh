# postfix-activate.sh CONFIG_DIRECTORY MAP RELOAD FLUSH
#
# Makes Postfix use what is in its files. MAP: TYPE:PATH, a table that postmap indexes first, or empty. RELOAD yes: `postfix
# reload`, and its queue manager is waited for, ten seconds at most, to have become another process, which has read main.cf;
# a Postfix that does not run stays so. FLUSH yes: then mail that waits is tried again. Prints frames (agents/frames.h):
#
#	index		yes, where MAP was indexed
#	reload		yes; stopped: it does not run; old: the queue manager is the one of before still
#	flush		yes, where there was mail and it is tried again
#
# May be repeated. Exit code 5: postmap or the reload failed, and stderr says how.
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export PATH
dir=$1 map=$2 reload=$3 flush=$4

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

spool=$(postconf -c "$dir" -h queue_directory 2>/dev/null)
master=$(postconf -c "$dir" -h daemon_directory 2>/dev/null)/master

# The queue manager is a child of the master that holds the lock of master.pid.
manager() {
	pid=$(tr -cd '0-9' <"$spool/pid/master.pid" 2>/dev/null)
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v master="$pid" '($2 == "(qmgr)" || $2 == "(nqmgr)") && $4 == master { print $1; exit }'
}

wait_for_manager() {
	turns=0
	while [ "$turns" -lt 50 ]; do
		now=$(manager)
		[ -z "$now" ] || [ "$now" = "$1" ] || return 0
		turns=$((turns + 1))
		sleep 0.2 2>/dev/null || { sleep 1; turns=$((turns + 4)); }
	done
	return 1
}

if [ -n "$map" ]; then
	said=$(postmap -c "$dir" "$map" 2>&1) || { printf 'postmap %s: %s\n' "$map" "$said" >&2; exit 5; }
	frame index yes
fi
if [ "$reload" = yes ]; then
	if MAIL_CONFIG=$dir "$master" -t 2>/dev/null; then
		frame reload stopped
	else
		was=$(manager)
		said=$(postfix -c "$dir" reload 2>&1) || { printf 'postfix reload: %s\n' "$said" >&2; exit 5; }
		if wait_for_manager "$was"; then
			frame reload yes
		else
			frame reload old
		fi
		if [ "$flush" = yes ] && find "$spool/deferred" -type f 2>/dev/null | grep -q .; then
			postqueue -c "$dir" -f 2>/dev/null && frame flush yes
		fi
	fi
fi
printf 'end 0\n\n'
