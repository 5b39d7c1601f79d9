#!/bin/sh
# deploy/deps.sh [--demo] [--windows] [--tests] [--print]
#
# Installs the Debian packages (12 or 13) that cutover is built with. This is the only list of packages.
#   (no flag)  what the program needs to be built and run
#   --demo     and what the demo fleet needs: sshd, cron, sudo, ruby
#   --windows  and what Windows hosts on this machine need: Wine and a compiler for Windows programs (1.2 GB)
#   --tests    and what the tests need; includes --demo and --windows
#   --print    installs nothing, prints the lists: GROUP: PACKAGE...
#
# Needs root, apt-get and a mirror in apt's sources; nothing of it where all is installed already (then it takes a
# fraction of a second). Leaves installed packages behind and nothing else: a package that was there is not upgraded
# on purpose, none is removed. An sshd or a Postfix that comes with it is neither started nor enabled: who needs one starts
# its own.
set -eu

# libc6-dev: gcc only recommends it. ssh-agent (openssh-client) holds keys that have a passphrase.
program='gcc libc6-dev cmake ninja-build pkgconf libuv1-dev libssh2-1-dev libcurl4-openssl-dev libjansson-dev
libsqlite3-dev libc-ares-dev libxml2-dev libssl-dev tzdata openssh-client'

demo='openssh-server cron sudo ruby util-linux mount procps'

# wine alone is the front door: without recommended packages it brings no 32-bit half, and wine64 has to be named.
windows='wine wine64 gcc-mingw-w64-x86-64 openssh-server openssh-client ruby util-linux mount'

# The shells are login shells of hosts in the tests; what is sent there must work in each. npm runs the JSON Schema
# validator; only where there is none on PATH, since Debian's brings hundreds of packages and cannot stand beside
# another vendor's Node.
tests='check libssh-dev shellcheck chromium poppler-utils tmux sqlite3 jq pmccabe groff-base acl
busybox zsh tcsh fish socat python3-asyncssh nftables iptables ipset iproute2'
command -v npm >/dev/null 2>&1 || tests="$tests nodejs npm"
# A machine has one mail server: where another one is installed it stays, and the tests with Postfix say that they are left out.
[ -e /usr/sbin/sendmail ] && ! command -v postfix >/dev/null 2>&1 || tests="$tests postfix"

say() { echo "deps.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# The names among the arguments that dpkg does not know as installed.
missing() {
	installed=$(dpkg-query -W -f '${db:Status-Abbrev}|${Package}\n' "$@" 2>/dev/null | sed -n 's/^.i.|//p')
	for package in "$@"; do
		case "
$installed
" in
		*"
$package
"*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

install_packages() {
	[ "$(id -u)" = 0 ] || die "these packages are missing, and installing them needs root: $*"
	command -v apt-get >/dev/null || die "apt-get is not here (Debian 12 or 13 is needed); missing: $*"
	say "installing $*"
	export DEBIAN_FRONTEND=noninteractive
	apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || die "apt-get update failed; missing: $*"
	apt-get -q -y -o DPkg::Lock::Timeout=300 --no-install-recommends --no-remove install "$@" >&2 ||
		die "apt-get could not install all of: $*"
}

# A machine without an sshd shall not get one on port 22 from a demo, nor a mail server from a test. policy-rc.d is Debian's
# switch for "start no service now"; one that is there already (containers have it) is left alone.
install_without_starting() {
	policy=/usr/sbin/policy-rc.d
	ours=
	if [ "$(id -u)" = 0 ] && [ ! -e "$policy" ]; then
		ours=$policy
		trap '[ -z "$ours" ] || rm -f "$ours"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	install_packages "$@"
	[ -z "$ours" ] || rm -f "$ours"
	ours=
	command -v systemctl >/dev/null || return 0
	case " $* " in *' openssh-server '*) systemctl disable ssh.service >/dev/null 2>&1 || true ;; esac
	case " $* " in *' postfix '*) systemctl disable postfix.service >/dev/null 2>&1 || true ;; esac
}

main() {
	wanted=$program
	print=
	for arg in "$@"; do
		case $arg in
		--demo) wanted="$wanted $demo" ;;
		--windows) wanted="$wanted $windows" ;;
		--tests) wanted="$wanted $demo $windows $tests" ;;
		--print) print=1 ;;
		*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
		esac
	done
	if [ -n "$print" ]; then
		# Unquoted: the lists are split into words and joined by single blanks.
		# shellcheck disable=SC2086
		{ echo program: $program; echo demo: $demo; echo windows: $windows; echo tests: $tests; }
		return
	fi
	# shellcheck disable=SC2086
	lacking=$(missing $wanted)
	# shellcheck disable=SC2086
	case " $lacking" in
	' ') ;;
	*' openssh-server '* | *' postfix '*) install_without_starting $lacking ;;
	*) install_packages $lacking ;;
	esac
}

main "$@"
