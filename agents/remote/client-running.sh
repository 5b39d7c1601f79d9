# client-running.sh FOLDER REAL
#
# The processes of the sync client: those whose working directory is its folder or lies in it, and those that name it in
# an argument. This script and what it was started by are left out, and nothing is ever stopped.
#
# Prints frames (agents/frames.h), for each process: `pid`, `user`, `command` (its arguments, blanks between, at most
# 200 bytes). `unseen yes` where processes of other users could not be looked at.
LC_ALL=C
export LC_ALL

folder=$1 real=$2

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

parent_of() {
	sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null
}

ours=' '
pid=$$
while [ "${pid:-0}" -gt 1 ]; do
	ours="$ours$pid "
	pid=$(parent_of "$pid")
done

# Does the text name the folder, or something in it? "/opt/x2" and "/srv/opt/x" do not name /opt/x.
names() {
	case $1 in
	*"$2"*) ;;
	*) return 1 ;;
	esac
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

unseen=
for dir in /proc/[0-9]*; do
	pid=${dir#/proc/}
	case $ours in
	*" $pid "*) continue ;;
	esac
	arguments=$(tr '\0' ' ' <"$dir/cmdline" 2>/dev/null)
	# threads of the kernel have no arguments
	[ -n "$arguments" ] || continue
	if ! cwd=$(readlink "$dir/cwd" 2>/dev/null); then
		[ -d "$dir" ] && unseen=yes
		cwd=
	fi
	case $cwd in
	"$real" | "$real"/*) ;;
	*) names "$arguments" "$folder" || names "$arguments" "$real" || continue ;;
	esac
	# a process of this script that got a number which was free again
	[ "$(parent_of "$pid")" = $$ ] && continue
	frame pid "$pid"
	frame user "$(stat -c %U "$dir" 2>/dev/null)"
	frame command "$(printf '%.200s' "$arguments")"
done
[ -n "$unseen" ] && frame unseen yes
printf 'end 0\n\n'
