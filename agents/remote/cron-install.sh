# cron-install.sh PATH SHA256
#
# Replaces one of cron's tables (a user's in the spool, /etc/crontab, a file of /etc/cron.d), compare-and-set: only if
# its bytes have that SHA-256 (64 hex digits). The new bytes come on stdin. Owner, group, mode and, where cp(1) can,
# ACL and attributes are kept; whoever reads it sees the old table or the new one; no second file stays behind.
#
# Not by crontab(1): Debian's puts a header of three lines of its own in front, takes as many comment lines away when it
# lists, and refuses a last line without a newline, so that more than our line would change.
#
# Vixie's cron, Debian's too, wakes at each full minute and looks for changes by the times of table and folder, in whole
# seconds. What changes in the very second in which it has looked stays hidden until the next change: so not then.
#
# Exit: 0 done, 3 the table is not what was expected (nothing was done), 4 it is not there, 5 it could not be written.
LC_ALL=C
export LC_ALL
umask 077

path=$(readlink -f -- "$1") expected=$2
folder=${path%/*}
new=

trap '[ -n "$new" ] && rm -f -- "$new"' EXIT
trap 'exit 5' HUP INT TERM

give_up() {
	echo "$1" >&2
	exit 5
}

check() {
	[ -f "$path" ] || exit 4
	sum=$(sha256sum <"$path")
	[ "${sum%% *}" = "$expected" ] || exit 3
}

same_attributes() {
	cp --attributes-only --preserve=all -- "$path" "$new" 2>/dev/null && return 0
	chown "$(stat -c %u:%g -- "$path")" "$new" && chmod "$(stat -c %a -- "$path")" "$new"
}

check
# of a run that was killed
rm -f -- "$folder"/.cutover.??????
# neither cron reads a table whose name begins with a dot
new=$(mktemp "$folder/.cutover.XXXXXX") || give_up "no file can be made in $folder"
same_attributes || give_up "owner and mode of $path cannot be given to a new file"
cat >"$new" || give_up "$new could not be written"
while :; do
	case $(($(date +%s) % 60)) in
	59 | [0-2]) sleep 1 ;;
	*) break ;;
	esac
done
sync -- "$new" 2>/dev/null || sync
check
mv -f -- "$new" "$path" || give_up "$path could not be replaced"
new=
# BusyBox's crond looks at the users' tables that are named here, at others only each hour
if crond=$(command -v crond 2>/dev/null); then
	case $(readlink -f -- "$crond"):$path in
	*/busybox:/var/spool/* | */busybox:/etc/crontabs/*) echo "${path##*/}" >>"$folder/cron.update" ;;
	esac
fi
exit 0
