#!/bin/sh
# linux.sh --key PUBLIC_KEY --from ADDRESS[,ADDRESS...] [--user NAME] [--address ADDRESS] [--no-sudo] [--header]
# linux.sh --remove [--keep-sshd]
#
# Makes a Linux host ready for cutover, and takes all of that away again. For a remote-management tool: runs as root,
# without a terminal, under any POSIX sh; may be run again at any time. Downloads nothing but openssh-server and sudo, where
# they are missing, from the system's own package source. It holds no secret: a public key is none.
#
#   --key      the public key that cutover logs in with: "ssh-ed25519 AAAA… comment"
#   --from     the addresses or networks (CIDR) that it may log in from: the controllers, or the bastion before this host
#   --user     the login (default cutover); made where there is none, and then it has no password. root: no sudo is needed
#   --address  the address for the inventory (default: that from which this host would answer --from)
#   --no-sudo  no sudoers line: the login can then change only what is its own
#   --header   the names of the columns before the line
#   --remove   takes away what an earlier run made, and nothing else: what was there before stays
#   --keep-sshd  with --remove: openssh-server stays, even if it came with the earlier run
# Each can be given in the environment instead: CUTOVER_KEY, CUTOVER_FROM, CUTOVER_USER, CUTOVER_ADDRESS;
# CUTOVER_NO_SUDO=1, CUTOVER_HEADER=1, CUTOVER_REMOVE=1, CUTOVER_KEEP_SSHD=1.
#
# On stdout: one line of CSV for the inventory (README.md says what is in it), nothing for --remove; the rest on stderr.
# Leaves behind, until --remove: the login and its key, /etc/sudoers.d/cutover-bootstrap, and what was found and made in
# /var/lib/cutover-bootstrap/record, each line written before the thing is done, so that --remove works after any crash.
#
# Exit codes: 0 done · 1 a step failed, said which; run it again · 2 wrong usage · 3 something here is in the way and is a
# person's to settle; nothing was changed.
set -eu
umask 022
LC_ALL=C
PATH=${PATH:-/bin}:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

key=${CUTOVER_KEY-} from=${CUTOVER_FROM-} user=${CUTOVER_USER-cutover} address=${CUTOVER_ADDRESS-}
no_sudo=${CUTOVER_NO_SUDO-} header=${CUTOVER_HEADER-} remove=${CUTOVER_REMOVE-} keep_sshd=${CUTOVER_KEEP_SSHD-}
folder=/var/lib/cutover-bootstrap
record=$folder/record
sudoers=/etc/sudoers.d/cutover-bootstrap
mark=cutover-bootstrap # the comment of our line in authorized_keys
tab=$(printf '\t')

say() { echo "linux.sh: $*" >&2; }
failed() { say "$*"; exit 1; }
in_the_way() {
	[ -z "${changed-}" ] || failed "$*"
	say "$*; nothing was changed"
	exit 3
}
usage() {
	say "$1"
	sed -n '2,/^#$/s/^# \{0,1\}//p' "$0" 2>/dev/null | sed '/^$/d' >&2
	exit 2
}
has() { command -v "$1" >/dev/null 2>&1; }

# ---- what was asked ---------------------------------------------------------------------------------------------

take_arguments() {
	while [ $# -gt 0 ]; do
		case $1 in
		--key | --from | --user | --address)
			[ $# -ge 2 ] || usage "$1 needs a value"
			case $1 in
			--key) key=$2 ;;
			--from) from=$2 ;;
			--user) user=$2 ;;
			--address) address=$2 ;;
			esac
			shift
			;;
		--no-sudo) no_sudo=1 ;;
		--header) header=1 ;;
		--remove) remove=1 ;;
		--keep-sshd) keep_sshd=1 ;;
		*) usage "there is no argument \"$1\"" ;;
		esac
		shift
	done
}

# is_match TEXT EXTENDED_REGEX: the whole of one line.
is_match() {
	[ "$(printf '%s\n' "$1" | wc -l)" -eq 1 ] && printf '%s\n' "$1" | grep -Eqx -e "$2"
}

check_arguments() {
	[ -n "$key" ] || usage "--key is missing: the public key that cutover logs in with"
	[ -n "$from" ] || usage "--from is missing: without it anybody who has the key could log in from anywhere"
	case $key in
	*PRIVATE*) usage "--key is a private key: give the public one (the file that ends in .pub), and make a new pair" ;;
	esac
	[ ${#key} -le 8000 ] || usage "--key is longer than any key"
	is_match "$key" '(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+=*( [^"]*)?' ||
		usage "--key is no public key of OpenSSH's (ssh-ed25519, ecdsa-sha2-nistp…, ssh-rsa), in one line"
	# A comment of the key's would be taken for an option or a second line by nobody, but it is not needed either.
	key=$(printf '%s\n' "$key" | cut -d' ' -f1,2)
	is_match "$from" '[0-9A-Fa-f:.]+(/[0-9]{1,3})?(,[0-9A-Fa-f:.]+(/[0-9]{1,3})?)*' ||
		usage "--from is no list of addresses or networks: 192.0.2.7 or 192.0.2.0/24,2001:db8::/64"
	is_match "$user" '[a-z_][a-z0-9_-]{0,31}' || usage "--user is no name of a login"
	[ -z "$address" ] || is_match "$address" '[A-Za-z0-9:.-]{1,253}' || usage "--address is no address"
	[ "$user" != root ] || no_sudo=1
}

# ---- the record -------------------------------------------------------------------------------------------------

# note WORD [VALUE]: once, before it is done. recorded WORD [VALUE]: is it there? Values hold no tab.
note() {
	recorded "$@" && return
	[ -d "$folder" ] || { mkdir -p "$folder" && chmod 700 "$folder"; }
	changed=1
	printf '%s\t%s\n' "$1" "${2-}" >>"$record"
}
recorded() { [ -f "$record" ] && grep -Fqx -e "$1$tab${2-}" "$record"; }
values_of() { [ ! -f "$record" ] || sed -n "s/^$1$tab//p" "$record"; }

one_at_a_time() {
	lock=/run/cutover-bootstrap.lock
	[ -d /run ] || lock=/var/run/cutover-bootstrap.lock
	mkdir "$lock" 2>/dev/null ||
		failed "another run is at work here; if there is none, remove the folder $lock and run it again"
	trap 'rmdir "$lock"; [ -z "${scratch-}" ] || rm -f "$scratch"' EXIT
	trap 'exit 1' HUP INT TERM
}

# ---- packages ---------------------------------------------------------------------------------------------------

package_system() {
	like=
	# The system's own file.
	# shellcheck disable=SC1091
	[ ! -r /etc/os-release ] || like=$(. /etc/os-release && echo " ${ID-} ${ID_LIKE-} ")
	case $like in
	*' debian '* | *' ubuntu '*) echo apt ;;
	*' rhel '* | *' fedora '* | *' centos '* | *' rocky '* | *' almalinux '* | *' ol '* | *' amzn '*)
		if has dnf; then echo dnf; else echo yum; fi
		;;
	*suse* | *' sles '*) echo zypper ;;
	*) echo none ;;
	esac
}

installed_packages() {
	if has dpkg-query; then
		dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^.i. *//p'
	else
		rpm -qa --qf '%{NAME}\n'
	fi | sort -u
}

ask_for_package() {
	case $(package_system) in
	apt)
		DEBIAN_FRONTEND=noninteractive
		export DEBIAN_FRONTEND
		apt-get -q -o DPkg::Lock::Timeout=300 update || say "apt-get update failed; trying with the lists that are here"
		apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends --no-remove install "$1"
		;;
	dnf) dnf -q -y --setopt=install_weak_deps=False install "$1" ;;
	yum) yum -q -y install "$1" ;;
	zypper) zypper --non-interactive --quiet install --no-recommends "$1" ;;
	esac </dev/null >&2
}

# package NAME PROGRAM: installed only where the program is absent; what came with it is recorded, by name.
package() {
	! has "$2" || return 0
	[ "$(package_system)" != none ] ||
		failed "$2 is not here, and this system's packages are not known to this script: install $1 and run it again"
	say "$2 is not here: installing $1"
	note "package" "$1"
	before=$(installed_packages)
	ask_for_package "$1" || failed "$1 could not be installed (above is why): install it and run this again"
	has "$2" || failed "$1 was installed, but $2 is still not here"
	installed_packages | while read -r name; do
		printf '%s\n' "$before" | grep -Fqx -e "$name" || note package "$name"
	done
}

# dpkg and rpm refuse by themselves what others need by now.
remove_packages() {
	names=$(values_of package)
	[ -n "$names" ] || return 0
	if [ -n "$keep_sshd" ]; then
		say "these came with the earlier run and stay, as asked: $(echo "$names" | xargs)"
		return 0
	fi
	# Unquoted: names, a word each.
	# shellcheck disable=SC2086
	if has dpkg; then
		names=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $names 2>/dev/null | sed -n 's/^[a-z][^n]. *//p')
		[ -z "$names" ] || DEBIAN_FRONTEND=noninteractive dpkg --purge $names </dev/null >&2
	else
		names=$(rpm -q --qf '%{NAME}\n' $names 2>/dev/null | grep -v ' ')
		[ -z "$names" ] || rpm -e $names </dev/null >&2
	fi || failed "packages that came with the earlier run could not be removed (others may need them by now): $names"
}

# ---- sshd -------------------------------------------------------------------------------------------------------

sshd_program() { command -v sshd; }

# What sshd would do for this login from the first of --from: "keyword value" lines.
sshd_says() {
	first=${from%%,*}
	"$(sshd_program)" -T -C "user=$user,host=$(uname -n),addr=${first%%/*}" 2>"$scratch"
}

# An sshd that was never started lacks its keys and its folder, and does not even tell its settings without them.
ask_sshd() {
	for attempt in 1 2 3; do
		settings=$(sshd_says) && return
		if [ "$attempt" = 3 ]; then
			break
		elif grep -qi 'no hostkeys available' "$scratch"; then
			note hostkeys
			ssh-keygen -A >/dev/null || failed "the host keys could not be made"
		elif grep -qi 'privilege separation directory' "$scratch" && [ ! -d /run/sshd ]; then
			note folder /run/sshd
			mkdir /run/sshd
		fi
	done
	failed "sshd does not take its own settings: $(head -n 3 "$scratch")"
}
remove_host_keys() {
	! recorded hostkeys || rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
}
setting() { printf '%s\n' "$settings" | sed -n "s/^$1 //p"; }

# in_list NAME PATTERN...: the patterns of AllowUsers and the like; what follows an @ is not looked at.
in_list() {
	name=$1
	shift
	for pattern in "$@"; do
		# A pattern on purpose.
		# shellcheck disable=SC2254
		case $name in
		${pattern%%@*}) return 0 ;;
		esac
	done
	return 1
}

check_group_list() {
	groups=$user
	! id "$user" >/dev/null 2>&1 || groups=$(id -Gn "$user")
	for group in $groups; do
		# shellcheck disable=SC2046
		! in_list "$group" $(setting allowgroups) || return 0
	done
	in_the_way "sshd lets in only the groups of AllowGroups ($(setting allowgroups | xargs)): put $user into one of" \
		"them, or its group there"
}

# What would keep the login out although all else is right. sshd's settings are the host's: they are not edited here.
check_sshd() {
	set -f
	ask_sshd
	[ "$(setting pubkeyauthentication)" != no ] || in_the_way "sshd takes no keys here (PubkeyAuthentication no)"
	if [ "$user" = root ] && [ "$(setting permitrootlogin)" = no ]; then
		in_the_way "sshd does not let root in (PermitRootLogin no): use another --user"
	fi
	# Unquoted: patterns, a word each.
	# shellcheck disable=SC2046
	if in_list "$user" $(setting denyusers); then
		in_the_way "sshd keeps $user out (DenyUsers): take it out there, or use another --user"
	fi
	# shellcheck disable=SC2046
	if [ -n "$(setting allowusers)" ] && ! in_list "$user" $(setting allowusers); then
		in_the_way "sshd lets in only the logins of AllowUsers ($(setting allowusers | xargs)): add $user there"
	fi
	[ -z "$(setting allowgroups)" ] || check_group_list
	set +f
}

has_systemd() { [ -d /run/systemd/system ] && has systemctl; }

sshd_unit() {
	for unit in ssh.service sshd.service; do
		if systemctl cat "$unit" >/dev/null 2>&1; then
			echo $unit
			return
		fi
	done
	failed "sshd is here, but systemd has no unit for it"
}

# Debian's newer releases start it by its socket.
sshd_runs() {
	if has_systemd; then
		systemctl -q is-active ssh.service || systemctl -q is-active sshd.service ||
			systemctl -q is-active ssh.socket || systemctl -q is-active sshd.socket
	else
		for comm in /proc/[0-9]*/comm; do
			[ "$(cat "$comm" 2>/dev/null)" != sshd ] || return 0
		done
		return 1
	fi
}

start_sshd() {
	if has_systemd; then
		unit=$(sshd_unit)
		systemctl -q is-enabled "$unit" >/dev/null 2>&1 || { note enabled "$unit" && systemctl -q enable "$unit" >&2; }
		note started "$unit"
		systemctl start "$unit" >&2
	elif [ -x /etc/init.d/ssh ]; then
		note started /etc/init.d/ssh
		/etc/init.d/ssh start >&2
	elif [ -x /etc/init.d/sshd ]; then
		note started /etc/init.d/sshd
		/etc/init.d/sshd start >&2
	else
		note started sshd
		"$(sshd_program)"
	fi </dev/null || failed "sshd could not be started; its log says why"
}

stop_sshd() {
	for unit in $(values_of started); do
		case $unit in
		*.service) systemctl stop "$unit" ;;
		/etc/init.d/*) "$unit" stop ;;
		*) [ ! -r /run/sshd.pid ] || kill "$(cat /run/sshd.pid)" ;;
		esac </dev/null >&2 || say "$unit could not be stopped"
	done
	for unit in $(values_of enabled); do
		systemctl -q disable "$unit" >&2 || say "$unit could not be disabled"
	done
}

# ---- the login --------------------------------------------------------------------------------------------------

home_of() { getent passwd "$1" | cut -d: -f6; }

# sshd takes a key for an account with the password "*" (none fits), but not for one that is locked ("!").
make_user() {
	if id "$user" >/dev/null 2>&1; then
		recorded user "$user" || say "the login $user was here before: it keeps its password, groups and files"
	else
		note user "$user"
		useradd --create-home --shell /bin/sh --comment 'migration account' "$user" >&2 ||
			failed "the login $user could not be made"
	fi
	if recorded user "$user" && [ "$(getent shadow "$user" | cut -d: -f2)" != '*' ]; then
		usermod -p '*' "$user" || failed "the password of $user could not be closed"
	fi
}

# Its processes end with it: it is ours alone.
remove_user() {
	for name in $(values_of user); do
		id "$name" >/dev/null 2>&1 || continue
		! has loginctl || loginctl terminate-user "$name" >/dev/null 2>&1 || true
		uid=$(id -u "$name")
		for process in /proc/[0-9]*; do
			[ "$(stat -c %u "$process" 2>/dev/null)" != "$uid" ] || kill -KILL "${process#/proc/}" 2>/dev/null || true
		done
		# That there is no mail spool to remove is no fault, but some versions say so.
		userdel --remove "$name" >/dev/null 2>"$scratch" || ! id "$name" >/dev/null 2>&1 ||
			failed "the login $name could not be removed: $(cat "$scratch")"
	done
}

# ---- its key ----------------------------------------------------------------------------------------------------

# The first file that sshd looks into for this login.
keys_file() {
	file=$(setting authorizedkeysfile | cut -d' ' -f1)
	home=$(home_of "$user")
	file=$(printf '%s\n' "${file:-.ssh/authorized_keys}" | sed "s,%h,$home,g;s,%u,$user,g;s,%%,%,g")
	case $file in
	none) failed "sshd looks into no file for keys (AuthorizedKeysFile none)" ;;
	/*) echo "$file" ;;
	*) echo "$home/$file" ;;
	esac
}

# In a login's own folder root must not follow links that the login may have laid, and sshd does not take what others can
# write.
check_keys_file() {
	file=$1 parent=$(dirname "$1")
	for path in "$parent" "$file"; do
		[ ! -L "$path" ] || failed "$path is a link: put the key there by hand, or make it a file"
	done
	[ ! -e "$file" ] || [ -f "$file" ] || failed "$file is no file"
	for path in "$(home_of "$user")" "$parent" "$file"; do
		[ ! -e "$path" ] || [ -z "$(find "$path" -prune \( -perm -020 -o -perm -002 \) 2>/dev/null)" ] ||
			failed "others can write $path, so sshd would not take the key: chmod go-w it, then run this again"
	done
}

# Not no-port-forwarding: the web service is asked from this host, through the session.
key_line() { printf 'from="%s",no-agent-forwarding,no-X11-forwarding,no-pty %s %s\n' "$from" "$key" "$mark"; }

# SELinux's label, where there is such a thing.
label() { ! has restorecon || restorecon "$1" >/dev/null 2>&1 || true; }

# replace FILE: by what is on stdin; owner, mode and label stay.
replace() {
	new=$1.cutover-new
	rm -f "$new"
	if ! { cp -p "$1" "$new" && cat >"$new" && mv -f "$new" "$1"; }; then
		rm -f "$new"
		failed "$1 could not be written"
	fi
	label "$1"
}

put_key() {
	file=$(keys_file)
	parent=$(dirname "$file")
	check_keys_file "$file"
	group=$(id -gn "$user")
	if [ ! -d "$parent" ]; then
		note folder "$parent"
		{ mkdir -m 700 "$parent" && chown "$user:$group" "$parent"; } || failed "$parent could not be made"
		label "$parent"
	fi
	if [ ! -e "$file" ]; then
		note file "$file"
		{ (umask 077 && : >"$file") && chown "$user:$group" "$file"; } || failed "$file could not be made"
	fi
	# A last line without its end gets one, which is taken away again.
	[ ! -s "$file" ] || [ -z "$(tail -c 1 "$file")" ] || note unended "$file"
	note line "$file"
	[ "$(grep -e " $mark\$" "$file" || true)" = "$(key_line)" ] || { grep -v -e " $mark\$" "$file" || true; key_line; } |
		replace "$file"
}

remove_key() {
	values_of line | while read -r file; do
		[ -f "$file" ] || continue
		if recorded unended "$file"; then
			text=$(grep -v -e " $mark\$" "$file" || true)
			printf '%s' "$text"
		else
			grep -v -e " $mark\$" "$file" || true
		fi >"$scratch"
		replace "$file" <"$scratch"
		! recorded file "$file" || [ -s "$file" ] || rm -f "$file"
	done
	# Only where nothing else came into it.
	values_of folder | while read -r path; do
		rmdir "$path" 2>/dev/null || true
	done
}

# ---- sudo -------------------------------------------------------------------------------------------------------

# cutover says `sudo -n`, without a terminal.
sudoers_text() {
	echo "# Made by cutover's bootstrap; gone with its --remove."
	echo "Defaults:$user !requiretty"
	echo "$user ALL=(ALL:ALL) NOPASSWD: ALL"
}

check_sudoers() {
	[ ! -e "$sudoers" ] || recorded sudoers "$sudoers" ||
		in_the_way "$sudoers is there and not from this script: remove it, if it is not needed"
	[ ! -e /etc/sudoers ] || grep -Eq '^[@#]includedir[[:space:]]+"?/etc/sudoers\.d"?' /etc/sudoers ||
		in_the_way "/etc/sudoers does not read /etc/sudoers.d: add the line #includedir /etc/sudoers.d by visudo"
	! has visudo || visudo -cq >&2 || in_the_way "visudo finds fault with this host's rules as they are (above is which)"
}

# Checked before it counts: a bad file there would close sudo for everybody.
put_sudoers() {
	sudoers_text >"$scratch"
	! cmp -s "$scratch" "$sudoers" || return 0
	chmod 440 "$scratch"
	visudo -cqf "$scratch" >&2 || failed "visudo does not take the line for $user"
	note sudoers "$sudoers"
	# sudo does not read a name with a dot.
	{ cp "$scratch" "$sudoers.new" && chown 0:0 "$sudoers.new" && chmod 440 "$sudoers.new" &&
		mv -f "$sudoers.new" "$sudoers"; } || failed "$sudoers could not be written"
	label "$sudoers"
	if ! visudo -cq >&2; then
		rm -f "$sudoers"
		failed "with our line visudo does not take this host's rules any more (above is why): it was taken out again"
	fi
	! has runuser || runuser -u "$user" -- sudo -n true </dev/null >&2 ||
		failed "the line for $user is in $sudoers, but sudo -n does not work (above is why)"
}

remove_sudoers() {
	! recorded sudoers "$sudoers" || rm -f "$sudoers"
}

# ---- what the inventory needs -----------------------------------------------------------------------------------

# The address that this host would answer the controller from.
own_address() {
	first=${from%%,*}
	first=${first%%/*}
	if has ip; then
		ip route get "$first" 2>/dev/null | sed -n 's/.* src \([0-9A-Fa-f:.]*\).*/\1/p' | head -n 1
	fi
}

# "ssh-ed25519 SHA256:…" of the first host key that sshd has of the types in this order.
host_key() {
	for type in ssh-ed25519 ecdsa-sha2 ssh-rsa; do
		for file in $(setting hostkey); do
			public=$(cat "$file.pub" 2>/dev/null || ssh-keygen -y -f "$file" 2>/dev/null </dev/null || true)
			case $public in
			"$type"*)
				printf '%s\n' "$public" >"$scratch"
				print=$(ssh-keygen -l -E sha256 -f "$scratch" | cut -d' ' -f2)
				echo "${public%% *} $print"
				return
				;;
			esac
		done
	done
}

# sshd that runs shows the key that was read from the file: an old one that was not started anew would not.
check_host_key() {
	has ssh-keyscan || return 0
	listen=$(setting listenaddress | head -n 1)
	listen=${listen%:*}
	case $listen in
	'' | 0.0.0.0) listen=127.0.0.1 ;;
	'[::]') listen=::1 ;;
	esac
	listen=${listen#[} listen=${listen%]}
	ssh-keyscan -T 10 -p "$port" -t "$(echo "${hostkey%% *}" | sed 's/^ssh-//;s/^ecdsa-.*/ecdsa/')" "$listen" \
		>"$scratch" 2>/dev/null </dev/null || true
	[ -s "$scratch" ] || failed "sshd does not answer at $listen port $port; its log says why"
	shown=$(ssh-keygen -l -E sha256 -f "$scratch" | cut -d' ' -f2)
	[ "$shown" = "${hostkey#* }" ] ||
		failed "sshd at $listen port $port shows another host key ($shown) than is in its files (${hostkey#* }): restart it"
}

print_line() {
	[ -z "$header" ] || echo 'host,address,port,user,os,become,host_key'
	echo "$(uname -n),$address,$port,$user,linux,$([ -n "$no_sudo" ] && echo none || echo sudo),$hostkey"
}

# ---- both ways --------------------------------------------------------------------------------------------------

# All that may be in the way is looked at before the first change; what is missing yet, once it is there.
prepare() {
	check_arguments
	[ -n "$no_sudo" ] || check_sudoers
	[ -z "$(sshd_program)" ] || check_sshd
	package openssh-server sshd
	[ -n "$no_sudo" ] || package sudo sudo
	ask_sshd
	sshd_runs || start_sshd
	make_user
	check_sshd
	put_key
	[ -n "$no_sudo" ] || put_sudoers
	hostkey=$(host_key) port=$(setting port | head -n 1)
	[ -n "$hostkey" ] || failed "sshd has no host key: ssh-keygen -A makes them"
	check_host_key
	[ -n "$address" ] || address=$(own_address)
	print_line
}

take_away() {
	if [ ! -f "$record" ]; then
		say "nothing of an earlier run is here"
		return
	fi
	remove_sudoers
	remove_key
	remove_user
	if [ -z "$keep_sshd" ]; then
		stop_sshd
		remove_host_keys
	fi
	remove_packages
	rm -f "$record"
	rmdir "$folder"
	say "what the earlier run made is gone"
}

take_arguments "$@"
[ "$(id -u)" = 0 ] || { say "this needs root"; exit 2; }
one_at_a_time
scratch=$(mktemp)
if [ -n "$remove" ]; then take_away; else prepare; fi
