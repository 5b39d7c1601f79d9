# firewall-try.sh nft|iptables FILE
#
# Would FILE with the bytes on stdin be loaded at a boot, and what would then filter? For agents/packet_filter_file.c. Changes
# nothing: the bytes are tried in a network and a view of the files of their own, which are gone with their process. Prints
# frames (agents/frames.h):
#
#	tried	what `nft -j list ruleset` prints behind it (nft only; what iptables makes of its file stands in it)
#	failed	why it could not be loaded
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export PATH
umask 077

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

new=$(mktemp) || exit 5
trap 'rm -f "$new"' EXIT
cat >"$new" || exit 5
case $1 in
nft)
	# Under its own name, so that what it includes is found as at a boot.
	# shellcheck disable=SC2016 # expanded by the shell that runs it
	if text=$(unshare -n -m sh -c 'mount --make-rprivate / && mount --bind "$1" "$2" && nft -f "$2" && nft -j list ruleset' \
		sh "$new" "$2" 2>&1); then
		frame tried "$text"
	else
		frame failed "$text"
	fi
	;;
iptables)
	# Rules can ask sets, which are loaded before them; one that fails shows where a rule asks for it.
	case $2 in
	/etc/sysconfig/*) sets=/etc/sysconfig/ipset ;;
	*) sets=/etc/iptables/ipsets ;;
	esac
	# shellcheck disable=SC2016 # expanded by the shell that runs it
	if text=$(unshare -n sh -c '[ ! -f "$2" ] || ipset restore <"$2"; iptables-restore --test <"$1"' sh "$new" "$sets" 2>&1); then
		frame tried ''
	else
		frame failed "$text"
	fi
	;;
*) exit 2 ;;
esac
printf 'end 0\n\n'
