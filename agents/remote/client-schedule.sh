# client-schedule.sh WHERE FOLDER REAL
#
# What starts the sync client in FOLDER (REAL: with links resolved) by the clock. WHERE is "" for a search everywhere,
# else one place: crontab:USER, cron.d:FILE, /etc/crontab, systemd:UNIT. Which lines it really is is for the caller to
# say; here are found the files that name the client at all.
#
# Prints frames (agents/frames.h):
#   kind user|system, name (as in WHERE), user ("" for system), path, bytes     a crontab that names the client
#   timer UNIT, service UNIT, active STATE, enabled STATE                       a timer that starts a service that does
#   other PATH         something else that names it and can start it: cron.daily, anacron, a user's own timer
#   unreadable PATH    could not be looked into
#   missing PATH       the place that WHERE names is not there
LC_ALL=C
export LC_ALL

where=$1 folder=$2 real=$3
spools='/var/spool/cron/crontabs /var/spool/cron /var/spool/cron/tabs /etc/crontabs'
units='/etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system'

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

# names_client FILE...: does any of them? 1: none does; more: some could not be read. Asked for all at once first.
names_client() {
	grep -qsF -e "$folder" -e "$real" -e imhs-ws-clinet -e imhs-ws-client -- "$@"
}

# crontab_file KIND NAME USER PATH
crontab_file() {
	size=$(wc -c <"$4") || return 0
	size=$((size))
	if [ "$size" -gt 1048576 ]; then
		frame unreadable "$4"
		return 0
	fi
	frame kind "$1"
	frame name "$2"
	frame user "$3"
	frame path "$4"
	printf 'bytes %d\n' "$size"
	head -c "$size" -- "$4"
	echo
}

# look KIND NAME USER PATH: only what names the client; where the place was given by name, in any case
look() {
	if [ ! -f "$4" ]; then
		[ -n "$where" ] && frame missing "$4"
	elif [ ! -r "$4" ]; then
		frame unreadable "$4"
	elif [ -n "$where" ] || names_client "$4"; then
		crontab_file "$@"
	fi
	return 0
}

spool_of() {
	for spool in $spools; do
		if [ -f "$spool/$1" ]; then
			echo "$spool"
			return 0
		fi
	done
	echo "${spools%% *}"
}

user_crontabs() {
	seen=' '
	for spool in $spools; do
		[ -d "$spool" ] || continue
		inode=$(stat -L -c %d:%i -- "$spool")
		case $seen in *" $inode "*) continue ;; esac
		seen="$seen$inode "
		if [ ! -r "$spool" ] || [ ! -x "$spool" ]; then
			frame unreadable "$spool"
			continue
		fi
		names_client "$spool"/*
		[ $? -eq 1 ] && continue
		for file in "$spool"/*; do
			[ -f "$file" ] && look user "crontab:${file##*/}" "${file##*/}" "$file"
		done
	done
}

# Names with a dot, a tilde and the like: Debian's cron leaves them out, cronie reads them. Both are looked into.
system_crontabs() {
	[ -e /etc/crontab ] && look system /etc/crontab '' /etc/crontab
	names_client /etc/cron.d/*
	[ $? -eq 1 ] && return 0
	for file in /etc/cron.d/*; do
		[ -f "$file" ] && look system "cron.d:${file##*/}" '' "$file"
	done
}

others() {
	set -- /etc/anacrontab /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* \
		/home/*/.config/systemd/user/*.service /root/.config/systemd/user/*.service /etc/systemd/user/*.service
	names_client "$@" || return 0
	for file do
		[ -f "$file" ] && names_client "$file" && frame other "$file"
	done
}

# property UNIT NAME: without --value, which is younger than some hosts
property() {
	systemctl show -p "$2" -- "$1" 2>/dev/null | sed -n "s/^$2=//p"
}

timer() {
	frame timer "$1"
	frame service "$(property "$1" Unit)"
	frame active "$(property "$1" ActiveState)"
	frame enabled "$(property "$1" UnitFileState)"
}

# Names of units hold no newlines.
services() {
	for dir in $units; do
		grep -lsF -e "$folder" -e "$real" -e imhs-ws-clinet -e imhs-ws-client -- "$dir"/*.service "$dir"/*.service.d/*.conf
	done | sed -e 's|\.d/[^/]*\.conf$||' -e 's|.*/||' | sort -u
}

timers() {
	command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ] || return 0
	services | while read -r service; do
		for unit in $(property "$service" TriggeredBy); do
			case $unit in *.timer) timer "$unit" ;; esac
		done
	done
}

named_timer() {
	unit=${where#systemd:}
	case $unit in *.timer) ;; *) unit=${unit%.service}.timer ;; esac
	if [ "$(property "$unit" LoadState)" = loaded ]; then
		timer "$unit"
	else
		frame missing "$unit"
	fi
}

case $where in
'')
	user_crontabs
	system_crontabs
	timers
	others
	;;
crontab:*)
	user=${where#crontab:}
	look user "$where" "$user" "$(spool_of "$user")/$user"
	;;
cron.d:*) look system "$where" '' "/etc/cron.d/${where#cron.d:}" ;;
/etc/crontab) look system /etc/crontab '' /etc/crontab ;;
systemd:*) named_timer ;;
esac
printf 'end 0\n\n'
