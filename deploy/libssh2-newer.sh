#!/bin/sh
# deploy/libssh2-newer.sh PREFIX
#
# Puts libssh2 1.11.1, Debian 13's, into the folder PREFIX of a Debian 12 machine, so that cutover can be built and
# tested against both versions. Nothing is installed: the packages are fetched through the mirror that the machine's
# apt is set up with, and unpacked. Then, for a build:
#   PKG_CONFIG_PATH=PREFIX/lib/pkgconfig   and to run what was built:   LD_LIBRARY_PATH=PREFIX/lib
#
# Does nothing when PREFIX is filled already, or when the system's libssh2 is 1.11.1 or newer; then there is no PREFIX.
# Needs apt-get, dpkg, gcc, pkg-config and libssl-dev (deploy/deps.sh) but not root. Leaves PREFIX behind, and none of
# the machine's apt lists, caches or packages changed.
set -eu

wanted=1.11.1
suite=trixie

say() { echo "libssh2-newer.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# The address that the machine takes its Debian release from. apt reads its own sources, in either form of file.
mirror() {
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	[ -n "$codename" ] || die "/etc/os-release names no VERSION_CODENAME"
	# Not this shell's: apt fills them in.
	# shellcheck disable=SC2016
	apt-get indextargets --no-release-info --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Identifier: Packages' |
		awk -v release="$codename" '($2 == release || $2 ~ /^(old)?stable$/) && $3 == "main" && !found++ { print $1 }'
}

# apt-get with lists and a cache of its own in $work, and no sources but the one in there.
private_apt() {
	apt-get -q -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o Acquire::Languages=none -o Acquire::Retries=3 "$@" >&2
}

fetch() {
	site=$(mirror)
	[ -n "$site" ] || die "apt's sources name no mirror for this Debian release's component main"
	mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$work/sources.list"
	private_apt update || die "the machine's mirror does not serve $suite"
	(cd "$work/debs" && private_apt download libssh2-1t64 libssh2-1-dev) || die "no libssh2 packages in $suite"
}

unpack() {
	for deb in "$work"/debs/*.deb; do
		dpkg -x "$deb" "$work/tree"
	done
	libraries=$(cd "$work/tree" && echo usr/lib/*-linux-*)
	ln -s "$libraries" "$work/tree/lib"
	ln -s usr/include "$work/tree/include"
	# Requires.private and Libs.private are for static linking only, and name packages that need not be here.
	sed -i -e "s#^prefix=.*#prefix=$prefix/usr#" -e '/\.private:/d' "$work/tree/lib/pkgconfig/libssh2.pc"
}

# A library that links here but does not run here would show only in the middle of the tests.
prove() {
	printf '%s\n' '#include <libssh2.h>' '#include <stdio.h>' \
		'int main(void) { puts(libssh2_version(0)); return 0; }' >"$work/version.c"
	gcc -I "$work/tree/include" -o "$work/version" "$work/version.c" -L "$work/tree/lib" -lssh2 ||
		die "a program does not link with the fetched libssh2"
	got=$(LD_LIBRARY_PATH=$work/tree/lib "$work/version") || die "a program linked with it does not run"
	dpkg --compare-versions "$got" ge $wanted || die "the fetched libssh2 is $got, older than $wanted"
}

[ $# = 1 ] || { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
prefix=$(realpath -m "$1")

system=$(pkg-config --modversion libssh2 2>/dev/null) || system=0
if dpkg --compare-versions "$system" ge $wanted; then
	say "not needed: the system's libssh2 is $system"
	exit 0
fi
if [ -f "$prefix/lib/pkgconfig/libssh2.pc" ]; then
	say "there already: $prefix"
	exit 0
fi

mkdir -p "$(dirname "$prefix")"
work=$(mktemp -d "$prefix.XXXXXX")
trap 'rm -rf "$work"' EXIT
fetch
unpack
prove
rm -rf "$prefix"
mv "$work/tree" "$prefix"
say "libssh2 $got is in $prefix"
