# firewall-change.sh nft|iptables|legacy add|remove
#
# Puts our own rules into the running filter, or takes them out: stdin is what `nft -f -` or `iptables-restore --noflush` is
# given, tried first, then done in one transaction. For agents/packet_filter_rules.c.
#
# Rules are ours by their comment, `cutover`. `add` does nothing where the first chain that it names has such (the run before died
# behind the change), and `remove` nothing where it has none. Exit 3: what it names is not there any more, and nothing was done; 5: it was refused.
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin
export PATH

# The tool by its own name where the host has it; where not, the plain one is that kind.
tool() {
	if command -v "iptables-$1-$2" >/dev/null 2>&1; then
		echo "iptables-$1-$2"
	else
		echo "iptables-$2"
	fi
}

case $1 in
nft) kind= ;;
iptables) kind=nft ;;
legacy) kind=legacy ;;
*) exit 2 ;;
esac

# "insert rule inet filter input handle …"; "*filter", "-I INPUT 3 …"
is_ours() {
	if [ "$1" = nft ]; then
		chain=$(printf '%s\n' "$text" | sed -n '1s/^[a-z]* rule \([^ ]* [^ ]* [^ ]*\).*/\1/p')
		# shellcheck disable=SC2086 # three words
		nft list chain $chain | grep -q 'comment "cutover"'
	else
		table=$(printf '%s\n' "$text" | sed -n '1s/^\*//p')
		chain=$(printf '%s\n' "$text" | sed -n '2s/^-[A-Z] \([^ ]*\).*/\1/p')
		"$(tool $kind save)" -t "$table" | grep -e "^-A $chain .*--comment cutover -j" >/dev/null
	fi
}

try() {
	if [ "$1" = nft ]; then
		printf '%s\n' "$text" | nft -c -f -
	else
		printf '%s\n' "$text" | "$(tool $kind restore)" -w 10 --noflush --test
	fi
}

change() {
	if [ "$1" = nft ]; then
		printf '%s\n' "$text" | nft -f -
	else
		printf '%s\n' "$text" | "$(tool $kind restore)" -w 10 --noflush
	fi
}

text=$(cat)
if is_ours "$1"; then there=add; else there=remove; fi
if [ "$there" != "$2" ]; then
	try "$1" >&2 || exit 3
	change "$1" >&2 || exit 5
fi
printf 'end 0\n\n'
