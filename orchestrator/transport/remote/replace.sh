# replace.sh PATH OLD NEW BACKUP: replaces a file's bytes by those on stdin, if its content's SHA-256 is OLD.
#
# NEW is the SHA-256 of the bytes on stdin, so that nothing is put in place that did not come whole. BACKUP is a name in
# the same folder, or empty. The new file is written beside the old one with all its attributes, synced, and renamed
# over it: whoever reads sees the old file or the new one. Links to the file are kept, hard links are refused.
# Exit codes: 0, or 100 + the number of the error's class (base/err.h); stderr says what is wrong.
p=$1 old=$2 new=$3 backup=$4
t=

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
	*'No space left'* | *'quota exceeded'*) die 108 "$p: the disk is full: $1" ;;
	*'ermission denied'* | *'not permitted'* | *'ead-only file system'*) die 106 "$p cannot be replaced: $1" ;;
	*) die 107 "$p cannot be replaced: $1" ;;
	esac
}

sum() {
	if command -v sha256sum >/dev/null 2>&1; then
		set -- "$(sha256sum <"$1")"
	elif command -v shasum >/dev/null 2>&1; then
		set -- "$(shasum -a 256 <"$1")"
	else
		set -- "$(openssl dgst -sha256 -r <"$1")"
	fi
	printf '%s\n' "${1%% *}"
}

# fsync of a file or folder, or of everything where sync knows no files.
durable() {
	sync "$1" 2>/dev/null || sync
}

# What has to stay the same: owner, group, mode, and the sign of an ACL or a security context.
attributes() {
	set -- "$(stat -c '%u %g %a' "$1")" "$(ls -ld "$1")"
	printf '%s %s\n' "$1" "${2%% *}"
}

# cp of busybox copies no ACL, and its ls shows none: where the tools for them are, they are asked.
same_acl() {
	command -v getfacl >/dev/null 2>&1 || return 0
	[ "$(getfacl -cp "$r" 2>/dev/null)" = "$(getfacl -cp "$t" 2>/dev/null)" ]
}

same_attributes() {
	[ "$(attributes "$t")" = "$(attributes "$r")" ] && same_acl
}

check_old() {
	now=$(sum "$r") || die_by "permission denied"
	[ "$now" = "$old" ] || die 122 "$p was changed meanwhile: its SHA-256 is $now, not $old; nothing was replaced"
}

keep_backup() {
	[ -n "$backup" ] && [ ! -e "$d/$backup" ] && [ ! -L "$d/$backup" ] || return 0
	b=$t.b
	m=$(cp -a "$r" "$b" 2>&1) || die_by "$m"
	[ "$(sum "$b")" = "$old" ] || die 122 "$p was changed while its backup was made; nothing was replaced"
	durable "$b"
	# A name that has come up meanwhile is the first one, and counts. No hard links here: then by renaming.
	ln "$b" "$d/$backup" 2>/dev/null || [ -e "$d/$backup" ] || mv -f "$b" "$d/$backup" ||
		die 107 "$p: the backup $backup cannot be made"
	rm -f "$b"
}

trap '[ -z "$t" ] || rm -f "$t" "$t.b"' EXIT
trap 'exit 107' HUP INT PIPE TERM
umask 077

m=$(stat -L -c '%F/%h' "$p" 2>&1) || die_by "$m"
case $m in
'regular file'/* | 'regular empty file'/*) ;;
*) die 102 "$p is no regular file but a ${m%%/*}" ;;
esac
[ "${m##*/}" = 1 ] || die 102 "$p has ${m##*/} hard links; replacing it would part them, so do it by hand"
r=$(readlink -f "$p") || die 107 "$p: its real path cannot be found"
d=${r%/*}
[ -r "$r" ] || die_by "permission denied"
check_old

t=$(mktemp "$d/.${r##*/}.cutover-XXXXXX" 2>&1) || { m=$t t=; die_by "$m"; }
m=$(cp -a "$r" "$t" 2>&1) || die_by "$m"
m=$(cat 2>&1 >"$t") || die_by "$m"
[ "$(sum "$t")" = "$new" ] || die 107 "$p: the new content did not arrive whole; nothing was replaced"
if ! same_attributes; then
	chmod "$(stat -c %a "$r")" "$t" 2>/dev/null
	same_acl || getfacl -cp "$r" | setfacl --set-file=- "$t" 2>/dev/null
	same_attributes ||
		die 106 "$p: owner, mode or ACL ($(attributes "$r")) cannot be kept by $(id -un); nothing was replaced"
fi
durable "$t"
keep_backup
check_old
m=$(mv -f "$t" "$r" 2>&1) || die_by "$m"
t=
durable "$d"
