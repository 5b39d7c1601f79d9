# get.sh PATH MAX: a regular file's metadata and bytes, links followed.
#
# stdout: MODE UID GID LINKS SIZE MTIME, OWNER, GROUP, REAL PATH, each on a line, then the bytes.
# Exit codes: 0, or 100 + the number of the error's class (base/err.h); stderr says what is wrong.
p=$1 max=$2

die() {
	code=$1
	shift
	printf '%s\n' "$*" >&2
	exit "$code"
}

# The class of a message of coreutils or busybox in the locale C.
die_by() {
	case $1 in
	*'o such file'* | *'ot a directory'*) die 103 "$p does not exist" ;;
	*'ermission denied'* | *'not permitted'*) die 106 "$p may not be read by $(id -un): permission denied" ;;
	*) die 107 "$p cannot be read: $1" ;;
	esac
}

m=$(stat -L -c '%F/%s/%a %u %g %h %s %Y
%U
%G' "$p" 2>&1) || die_by "$m"
type=${m%%/*} m=${m#*/}
size=${m%%/*} m=${m#*/}
case $type in
'regular file' | 'regular empty file') ;;
*) die 102 "$p is no regular file but a $type" ;;
esac
[ -r "$p" ] || die_by 'permission denied'
[ "$size" -le "$max" ] || die 105 "$p has $size bytes, more than the $max that are asked for"
r=$(readlink -f "$p") || die 107 "$p: its real path cannot be found"
printf '%s\n%s\n' "$m" "$r"
cat "$r" || exit 107
