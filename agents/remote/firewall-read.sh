# firewall-read.sh [ADDRESS...]
#
# What filters packets on this host, now and after a reboot, for agents/packet_filter.c. Prints frames (agents/frames.h), each
# only where there is such a thing:
#
#	nft, iptables, legacy	what `nft -j list ruleset`, `iptables-nft-save` and `iptables-legacy-save` print
#	nft-failed		what nft said instead
#	sets			what `ipset save` prints
#	boot-nft		the rule set after a reboot: nftables.service's file, loaded in a network of its own
#	boot-nft-file		which file that is
#	boot-nft-failed		why that could not be seen
#	boot-iptables, boot-sets the saved rules, sets
#	boot-iptables-file	where the rules are saved
#	keeper			who else keeps rules here (firewalld, ufw): a word for each, a line each
#	address			addresses of this host, a line each
#	route			the interface of the way to each ADDRESS, a line each; an empty line where there is none
#
# Changes nothing: the network that the file is loaded in is gone with its process.
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export PATH

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

# frame_of NAME COMMAND...: what it prints, where it ends well and prints anything.
frame_of() {
	name=$1
	shift
	if text=$("$@" 2>/dev/null) && [ -n "$text" ]; then
		frame "$name" "$text"
	fi
}

has() {
	command -v "$1" >/dev/null 2>&1
}

if has nft; then
	if text=$(nft -j list ruleset 2>&1); then
		frame nft "$text"
	else
		frame nft-failed "$text"
	fi
fi

# Both kinds, by their own names where the host has them; where not, iptables-save is one of the two and says which.
if has iptables-nft-save; then
	frame_of iptables iptables-nft-save
elif has iptables-save; then
	case $(iptables -V 2>/dev/null) in
	*nf_tables*) frame_of iptables iptables-save ;;
	*) frame_of legacy iptables-save ;;
	esac
fi
# It would load the modules for tables that nobody has. A file of /proc has no size that could be asked for.
if has iptables-legacy-save && grep -q . /proc/net/ip_tables_names 2>/dev/null; then
	frame_of legacy iptables-legacy-save
fi
has ipset && frame_of sets ipset save

# What comes back at a boot.
enabled() {
	[ "$(systemctl is-enabled "$1" 2>/dev/null)" = enabled ]
}
for f in /etc/nftables.conf /etc/sysconfig/nftables.conf; do
	if [ -f "$f" ] && enabled nftables.service; then
		# shellcheck disable=SC2016 # expanded by the shell that runs it
		if text=$(unshare -n sh -c 'nft -f "$1" && nft -j list ruleset' sh "$f" 2>&1); then
			frame boot-nft "$text"
		else
			frame boot-nft-failed "$f: $text"
		fi
		frame boot-nft-file "$f"
		break
	fi
done
saved=
if enabled netfilter-persistent.service; then
	saved=/etc/iptables/rules.v4
	frame_of boot-sets cat /etc/iptables/ipsets
elif enabled iptables.service; then
	saved=/etc/sysconfig/iptables
	frame_of boot-sets cat /etc/sysconfig/ipset
fi
if [ -n "$saved" ]; then
	frame_of boot-iptables cat "$saved"
	frame boot-iptables-file "$saved"
fi

keepers=
# One that is stopped comes back at the next boot.
if { has firewall-cmd && firewall-cmd --state >/dev/null 2>&1; } || enabled firewalld.service; then
	keepers=firewalld
fi
if grep -qx 'ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null; then
	keepers="$keepers ufw"
fi
[ -z "$keepers" ] || frame keeper "${keepers# }"

frame_of address sh -c "ip -4 -o addr show scope global | sed -n 's/.* inet \\([0-9.]*\\).*/\\1/p'"
routes=
for address in "$@"; do
	dev=$(ip -4 -o route get "$address" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
	routes="$routes$dev
"
done
frame route "$routes"
printf 'end 0\n\n'
