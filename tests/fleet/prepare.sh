#!/bin/sh
# prepare.sh DIR FIRST COUNT: makes COUNT hosts for the fleet server, the first at the address FIRST (127.a.b.c), the
# others at the addresses that follow, each with files of its own in DIR/hosts/ADDR/root, and names them in
# DIR/hosts.txt (lines that are there already stay as they are). Repeated for the same host it puts its files back.
# Only the shell's own commands run per host; mkdir, chmod, mkfifo and the like are called once for all.
set -eu

[ $# -eq 3 ] || { echo "usage: prepare.sh DIR FIRST COUNT" >&2; exit 2; }
dir=$1 first=$2 count=$3
case $first in
127.*.*.*) ;;
*) echo "prepare.sh: \"$first\" is no address in 127.0.0.0/8" >&2; exit 2 ;;
esac
case $count in
'' | *[!0-9]*) echo "prepare.sh: \"$count\" is no number" >&2; exit 2 ;;
esac

old_ifs=$IFS
IFS=.
# shellcheck disable=SC2086
set -- $first
IFS=$old_ifs
number=$(($2 * 65536 + $3 * 256 + $4))

addresses=
i=0
while [ "$i" -lt "$count" ]; do
	n=$((number + i))
	addresses="$addresses 127.$((n / 65536)).$((n / 256 % 256)).$((n % 256))"
	i=$((i + 1))
done

mkdir -p "$dir/hosts"
cd "$dir"

for a in $addresses; do
	r=hosts/$a/root
	echo "$r/opt/imhs-ws-clinet $r/etc/cron.d $r/var/spool/cron/crontabs $r/var/log $r/tmp $r/root $r/run/lock"
done | xargs mkdir -p

# It is a shell script and a Ruby script: `./imhs-ws-client.rb` runs the upper part, `ruby imhs-ws-client.rb` skips to
# the line #!ruby and runs the lower one.
client='#!/bin/sh
# Stands for the directory synchronisation client: notes which service it would have talked to.
cd "${0%/*}" 2>/dev/null || cd /opt/imhs-ws-clinet || exit 1
quote="['\''\"]"
uri=
while IFS= read -r line; do
	case $line in
	ROOT_URI*=*)
		uri=${line#*$quote}
		uri=${uri%%$quote*}
		;;
	esac
done <imhs-config.rb
[ -n "$uri" ] || { echo "no ROOT_URI" >&2; exit 1; }
echo "sync sh $uri" >>/var/log/imhs-sync.log
exit 0
#!ruby
require_relative "imhs-config"
File.open("/var/log/imhs-sync.log", "a") { |log| log.puts "sync ruby #{ROOT_URI}" }
'
cron='# Directory synchronisation
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

*/15 * * * * root /opt/imhs-ws-clinet/imhs-ws-client.rb >/dev/null 2>&1
'
mounts='opt
etc/cron.d
var/spool/cron/crontabs
tmp
var/log
root
run
etc/hosts
'

for a in $addresses; do
	h=hosts/$a
	r=$h/root
	printf '%s' "$mounts" >"$h/mounts"
	echo "sync-$a" >"$h/hostname"
	printf '%s' "# -*- coding: utf-8 -*-
# Configuration of the directory synchronisation client.

# The web service; the path ends without a slash.
ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'

# Account at the web service.
ADMIN_ACCOUNT = 'sync@$a.example'
SERVICE_KEY = 'made-up-key-of-$a'	# not a real one

# Where the addresses come from.
LDAP_HOST = 'ldap.$a.example'
LDAP_PORT = 389
LDAP_PASSWORD = \"made-up-password-of-$a\"
DOMAINS = ['$a.example']
" >"$r/opt/imhs-ws-clinet/imhs-config.rb"
	printf '%s' "$client" >"$r/opt/imhs-ws-clinet/imhs-ws-client.rb"
	printf '%s' "$cron" >"$r/etc/cron.d/imhs-sync"
	printf '127.0.0.1\tlocalhost\n%s\tsync-%s\n' "$a" "$a" >"$r/etc/hosts"
	: >"$r/var/log/imhs-sync.log"
done

for a in $addresses; do
	echo "hosts/$a/root/opt/imhs-ws-clinet/imhs-ws-client.rb"
done | xargs chmod 0755
for a in $addresses; do
	echo "hosts/$a/root/opt/imhs-ws-clinet/imhs-config.rb"
done | xargs chmod 0640
for a in $addresses; do
	echo "hosts/$a/root/tmp"
done | xargs chmod 1777

touch hosts.txt
# shellcheck disable=SC2086
printf '%s\n' $addresses | awk 'FILENAME == "hosts.txt" { have[$1] = 1; next } !($1 in have)' hosts.txt - >hosts.new
cat hosts.new >>hosts.txt
rm -f hosts.new
