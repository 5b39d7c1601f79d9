#!/bin/bash
# deploy/quickstart.sh [--with-windows] [--down]
#
# From a fresh clone to a migrated demo fleet and its report: installs the packages (deploy/deps.sh --demo), builds the
# program into build/release, starts eight real SSH hosts of six customers on this machine (deploy/demo), and moves
# their sync clients: validate, plan, run, report. One customer, dahlia, fails for a reason worth reading.
#
# --with-windows: and a seventh customer, gale, whose sync client are two services of a Windows host (Wine behind sshd,
# deploy/demo/windows). Installs deploy/deps.sh --windows too: another 200 MB to download, 1.2 GB on disk.
#
# Needs root on Debian 12 or 13. Takes a few minutes the first time, less than a minute again. Begins anew each time:
# build/demo (inventory, journal, plans, report) and the hosts of an earlier quick start are replaced. Leaves build/
# behind, and the hosts, so that you can go on trying; --down ends them. Exits 0 when all went as told here.
set -euo pipefail

cd "$(dirname "$0")/.."
cutover=build/release/cutover
demo=build/demo
fleet=deploy/demo/fleet.sh
folder='Program Files (x86)/Trend Micro/Hosted Email Security ActiveDirectory Sync Client'
# The same for a line of cmd.exe in JSON.
client='C:\\Program Files (x86)\\Trend Micro\\Hosted Email Security ActiveDirectory Sync Client\\PluginService.exe'

die() {
	echo "quickstart.sh: $*" >&2
	exit 1
}

usage() {
	sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
	exit 2
}

title() {
	printf '\n== %s\n' "$*"
}

# Shows a command as one would type it, and runs it.
show() {
	printf '\n$ %s\n' "$*"
	"$@"
}

# As `show`, for the commands that shall end with another exit code than 0.
show_and_expect() {
	local expected=$1 code=0
	shift
	show "$@" || code=$?
	[ $code = "$expected" ] || die "this should have ended with exit code $expected and ended with $code: $*"
}

build_program() {
	cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log >&2; die "cmake --preset release failed"; }
	cmake --build --preset release --target cutover
}

# How the schedules and files of customers differ: see the comments in deploy/demo/variants.
start_hosts() {
	"$fleet" down $demo/fleet
	rm -rf $demo
	mkdir -p $demo
	"$fleet" up $demo/fleet 8 --prefix auto --variant 2=cron-d --variant 3=etc-crontab --variant 4=crlf \
		--variant 5=other-spelling --variant 6=drift --variant 7=cron-d $windows
}

# tenant ID NAME HOSTS: one tenant as JSON. The comma before it is the caller's.
tenant() {
	printf '{ "id": "%s", "name": "%s", "wave": "tonight", "new_fqdn": "%s.hes2.example",\n      "hosts": [ %s ] }' "$1" "$2" "$1" "$3"
}

# host N AGENT: its line of hosts.txt as JSON. The new address in the client's own log proves that the client used it.
host() {
	local n address port name
	read -r n address port name _ < <(sed -n "$1p" $demo/fleet/hosts.txt)
	[ "$n" = "$1" ] || die "hosts.txt has no line for host $1"
	cat <<-X
		{ "name": "$name", "address": "$address", "port": $port,
		  "identity_check": { "run": "hostname", "equals": "$name" },
		  "agents": [ { "agent": "ruby-client"$2 } ],
		  "verify": [ { "name": "the client ran, with the new address", "run": "tail -n 1 /var/log/imhs-sync.log",
		                "stdout_matches": "hes2\\\\.example.*completed", "timeout_s": 20 } ] }
	X
}

# The Windows host: other keys than the Linux fleet's, and services instead of a program that is run.
windows_host() {
	local address port name
	read -r _ address port name _ <$demo/fleet/windows/hosts.txt
	cat <<-X
		{ "name": "$name", "os": "windows", "address": "$address", "port": $port, "user": "Administrator", "become": "none",
		  "identity": "file:fleet/windows/id_ed25519", "known_hosts": "fleet/windows/known_hosts",
		  "identity_check": { "run": "hostname", "equals": "$name" },
		  "agents": [ { "agent": "ad-sync-client" } ],
		  "verify": [ { "name": "the Agent read the new address at its start", "stdout_matches": "Agent config .*hes2",
		                "run": "findstr /c:\"bytes, gale.hes2.example\" \"$client.log\"" },
		              { "name": "the Service too", "stdout_matches": "Service config .*hes2",
		                "run": "findstr /c:\"bytes, gale.hes2.example\" \"$client.log\"" } ] }
	X
}

# Where the inventory does not say where the client and its schedule are, they are looked for.
write_inventory() {
	local seventh='' named=', "path": "/opt/imhs-ws-clinet", "run": "ruby imhs-ws-client.rb", "run_as": "sync"'
	if [ -n "$windows" ]; then
		seventh=", $(tenant gale "Gale Shipping" "$(windows_host)")"
	fi
	cat >$demo/inventory.json <<-X
		{
		  "//": "Made by deploy/quickstart.sh: some customers, their hosts, one night that has begun.",
		  "inventory": 1,
		  "procedure": "hes-1-to-2",
		  "profile": "hes-global",
		  "defaults": {
		    "user": "cutover", "identity": "file:fleet/id_ed25519", "known_hosts": "fleet/known_hosts", "become": "sudo",
		    "os": "linux",
		    "migration_date": "$(date -d yesterday +%F)",
		    "domains": [],
		    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true,
		              "quarantine_notification": false }
		  },
		  "waves": {
		    "tonight": { "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)",
		                                "end": "$(date -d '8 hours' +%FT%T%:z)" } ] }
		  },
		  "tenants": [
		    $(tenant acme "Acme Trading" "$(host 1 "$named, \"schedule\": \"crontab:sync\""), $(host 2 "")"),
		    $(tenant basil "Basil Foods" "$(host 3 "$named, \"schedule\": \"/etc/crontab\"")"),
		    $(tenant cedar "Cedar Homes" "$(host 4 ""), $(host 5 "")"),
		    $(tenant dahlia "Dahlia Clinics" "$(host 6 "")"),
		    $(tenant elm "Elm Logistics" "$(host 7 "$named")"),
		    $(tenant fern "Fern Books" "$(host 8 "")")$seventh
		  ]
		}
	X
}

# The report is evidence; so the demo looks at it, and not at what the run said: dahlia drifted, all others are moved.
check_report() {
	ruby -rjson - $demo/report/report.json $windows <<-'X'
		states = JSON.parse(File.read(ARGV[0]))['tenants'].to_h do |tenant|
		  steps = tenant['steps'].select { |step| step['step'] == 'sync-client' && step['target'].start_with?('host:') }
		  [tenant['id'], steps.map { |step| step['state'] }]
		end
		expected = { 'acme' => %w[verified verified], 'basil' => %w[verified], 'cedar' => %w[verified verified],
		             'dahlia' => %w[drift], 'elm' => %w[verified], 'fern' => %w[verified] }
		expected['gale'] = %w[verified] if ARGV[1]
		abort "the report tells of other states than this demo was made for: #{states}" unless states == expected
	X
}

# What the hosts say themselves, without the program: the new address, and the schedule switched on again.
check_hosts() {
	local new scheduled
	new=$(in_each_host 'grep -h "^ROOT_URI = .https://[a-z]*\.hes2\.example/" /opt/imhs-ws-cli*/imhs-config.rb')
	[ "$new" = 7 ] || die "$new of the 8 hosts have the new address, and 7 should"
	scheduled=$(in_each_host 'grep -hrE "^23 3\s.*imhs-ws-client.rb" /var/spool/cron/crontabs /etc/cron.d /etc/crontab')
	[ "$scheduled" = 8 ] || die "$scheduled of the 8 hosts have their schedule, and all should"
}

# And the Windows host: in its file and in what its services read at their start. Both run.
check_windows() {
	local drive said
	drive=$demo/fleet/windows/hosts/1/c
	said=$(grep -c 'value="https://gale\.hes2\.example/imhs/v1.0/en/"' "$drive/$folder/PluginService.exe.config")
	[ "$said" = 1 ] || die "the Windows host's PluginService.exe.config has the new address $said times, and should have it once"
	said=$(deploy/demo/windows/winhosts.sh exec $demo/fleet/windows 1 'sc query ImhsAdSyncAgent & sc query ImhsAdSyncService' |
		grep -c 'STATE .*: 4 ')
	[ "$said" = 2 ] || die "$said of the 2 services of the Windows host run, and both should"
}

# How many lines a command of the shell prints in all hosts together.
in_each_host() {
	local n
	for n in 1 2 3 4 5 6 7 8; do
		"$fleet" exec $demo/fleet $n sh -c "$1" || true
	done | wc -l
}

say_what_next() {
	cat <<-X

		== Done: ${windows:+the Windows host and }seven hosts are moved. dahlia's was left alone: its client points at neither the old nor the new service.

		The report: $PWD/$demo/report/report.html (report.json beside it)
		Try next, here in $PWD:

		  export CUTOVER_STATE=$demo/cutover.db
		  $cutover status            # where everything stands
		  $cutover why dahlia        # what is wrong there, and what would help

		dahlia's administrator agrees that the proxy goes; put the old address back on the host and run again:

		  $fleet exec $demo/fleet 6 sed -i "s#^ROOT_URI.*#ROOT_URI = 'https://us.imhs-ws.trendmicro.com/imhs/v1.0/en'#" /opt/imhs-ws-clinet/imhs-config.rb
		  $cutover run $demo/inventory.json --yes
		  $cutover rollback acme --yes    # acme wants its old service back

	X
	[ -z "$windows" ] || cat <<-X
		What gale's Windows host says of it, its services' own log at last:

		  deploy/demo/windows/winhosts.sh exec $demo/fleet/windows 1 'sc query ImhsAdSyncAgent'
		  cat "$demo/fleet/windows/hosts/1/c/$folder/PluginService.exe.log"

	X
}

down='' windows=''
for word; do
	case $word in
	--down) down=1 ;;
	--with-windows) windows=--with-windows ;;
	*) usage ;;
	esac
done
[ "$(id -u)" = 0 ] || die "needs root: it installs packages and makes hosts of namespaces and mounts"

title "Packages"
deploy/deps.sh --demo ${windows:+--windows}
title "Build"
mkdir -p build
build_program
title "Eight hosts of six customers${windows:+, and a Windows host of a seventh}"
[ -z "$windows" ] || [ -d build/windows ] || echo "What all Windows hosts share is made once: that takes a minute or two."
start_hosts
[ -z "$down" ] || trap '"$fleet" down $demo/fleet' EXIT
write_inventory
title "The inventory: is it valid?"
show $cutover validate $demo/inventory.json
title "The plan: what would change? (It ends with exit code 1, as dahlia's host has drifted)"
show_and_expect 1 $cutover plan $demo/inventory.json --out $demo/plan
title "The run (exit code 1 again: dahlia is left alone)"
show_and_expect 1 $cutover run $demo/inventory.json --yes
title "The report"
show $cutover report --state $demo/cutover.db --format html,json --out $demo/report
[ -s $demo/report/report.html ] || die "there is no $demo/report/report.html"
check_report
check_hosts
[ -z "$windows" ] || check_windows
say_what_next
if [ -z "$down" ]; then
	printf 'The hosts stay up until:  %s down %s/fleet\n' $fleet $demo
fi
