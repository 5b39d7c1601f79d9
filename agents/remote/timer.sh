# timer.sh start|stop|show UNIT
#
# Starts or stops a systemd timer, or only looks. Only stopped, not disabled: whether it is enabled is thus never touched and has not
# to be put back; a host that boots in between has its timer back, which does no harm.
#
# Prints frames (agents/frames.h): `was` its ActiveState before, `active` its ActiveState now.
# Exit: 0 done (or nothing was to do), 4 no such timer, 5 systemctl failed (its words are on stderr).
LC_ALL=C
export LC_ALL

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

property() {
	systemctl show -p "$1" -- "$unit" 2>/dev/null | sed -n "s/^$1=//p"
}

verb=$1 unit=$2
[ "$(property LoadState)" = loaded ] || exit 4
was=$(property ActiveState)
case $verb:$was in
show:* | start:active | stop:inactive | stop:failed) ;;
*) systemctl "$verb" -- "$unit" >&2 || exit 5 ;;
esac
frame was "$was"
frame active "$(property ActiveState)"
printf 'end 0\n\n'
