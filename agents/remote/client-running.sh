# client-running.sh FOLDER REAL
#
# The processes of the sync client: those whose working directory is its folder or lies in it, and those that name it in
# an argument. This script and what it was started by are left out, and nothing is ever stopped.
#
# Prints frames (agents/frames.h), for each process: `pid`, `user`, `command` (its arguments, blanks between, at most
# 200 bytes). `unseen yes` where processes of other users could not be looked at.
#
# It is asked every few seconds, maybe on a machine with thousands of processes: all are looked at by two programs, and
# only those that may be the client's one by one.
LC_ALL=C
export LC_ALL
unset QUOTING_STYLE

folder=$1 real=$2
newline='
'

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

# Sets $parent.
parent_of() {
	parent=
	while read -r key parent; do
		[ "$key" = PPid: ] && return 0
	done 2>/dev/null <"/proc/$1/status"
	parent=
}

# Does the text name the folder, or something in it? "/opt/x2" and "/srv/opt/x" do not name /opt/x.
names() {
	rest=$1
	while :; do
		case $rest in
		*"$2"*) ;;
		*) return 1 ;;
		esac
		head=${rest%%"$2"*}
		rest=${rest#*"$2"}
		case $head in
		*[A-Za-z0-9._-]) continue ;;
		esac
		case $rest in
		[A-Za-z0-9._-]*) continue ;;
		esac
		return 0
	done
}

# Numbers of processes that may be meant, one a line, maybe twice.
candidates() {
	case $folder$real in
	*"$newline"*) plain= ;;
	*) plain=yes ;;
	esac
	# BusyBox's grep stops at the first NUL byte
	if [ -z "$plain" ] || ! printf 'a\0b\n' | grep -qaF b 2>/dev/null; then
		printf '%s\n' [0-9]*
		return 0
	fi
	grep -alF -e "$folder" -e "$real" -- [0-9]*/cmdline 2>/dev/null | sed 's|/.*||'
	# shellcheck disable=SC2012 # links of /proc; what is found is looked at again
	ls -l [0-9]*/cwd 2>/dev/null | while IFS= read -r line; do
		case $line in
		*" -> $real" | *" -> $real/"*)
			line=${line%%/cwd -> *}
			echo "${line##* }"
			;;
		esac
	done
}

look_at() {
	arguments=$(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline")
	# threads of the kernel have no arguments
	[ -n "$arguments" ] || return 0
	cwd=$(readlink "/proc/$1/cwd" 2>/dev/null && echo .)
	case $cwd in
	"$real$newline." | "$real"/*) ;;
	*) names "$arguments" "$folder" || names "$arguments" "$real" || return 0 ;;
	esac
	parent_of "$1"
	[ "$parent" = $$ ] && return 0
	frame pid "$1"
	frame user "$(stat -c %U "/proc/$1" 2>/dev/null)"
	frame command "$(printf '%.200s' "$arguments")"
}

ours=' '
parent=$$
while [ "${parent:-0}" -gt 1 ]; do
	ours="$ours$parent "
	parent_of "$parent"
done
cd /proc || exit 1
for pid in $(candidates); do
	case $ours in
	*" $pid "*) continue ;;
	esac
	ours="$ours$pid "
	look_at "$pid"
done
[ "$(id -u)" = 0 ] || frame unseen yes
printf 'end 0\n\n'
