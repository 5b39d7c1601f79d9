#!/bin/sh
# The proof of the sync: the whole program on customers with `web_service`, against real SSH hosts (deploy/demo) whose
# client really sends its users, and against two directory services over HTTPS with a CA of their own
# (lib/web_service.mjs): the old one asks for Basic, the new one for Digest.
#
#     a  all is well                     b  its client is not run: nothing shows that a sync ran
#     c  the web services are not enabled in the new console (401), until somebody enables them
#     d  the old service does not answer e  the client sends too few users
#     f  the services' names are known on its sync host alone, whose session asks (web_service, via: host)
#
# Needs root, namespaces and the packages of deploy/deps.sh --tests. Leaves nothing.
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/web_service.sh"
need_program
TAP_TIMEOUT_S=180
fleet=$(cd "$(dirname "$0")/../.." && pwd)/deploy/demo/fleet.sh
hosts='1 2 3 4 5 6'

cleanup() {
	service_stop
	"$fleet" down "$work/fleet" 2>/dev/null || true
}

service_or_skip 'the proof of the sync'
unshare -m -u -i -p -f true 2>/dev/null || { skip 'the proof of the sync' 'needs namespaces'; finish; }
for tool in jq sqlite3 /usr/sbin/sshd cron sudo ruby; do
	command -v "$tool" >/dev/null || { skip 'the proof of the sync' "there is no $tool (deploy/deps.sh --tests installs it)"; finish; }
done

in_host() { "$fleet" exec "$work/fleet" "$@"; }
tenant_of() { echo "$1" | tr 123456 abcdef; }
# A client that does what the vendor's does: an import replaces all users of a domain.
client() {
	cat <<'X'
require 'json'
require 'net/http'
require 'openssl'
require 'uri'
require_relative 'imhs-config'
users = File.readlines(USERS_FILE, chomp: true, encoding: 'UTF-8').drop(1).map { |line| line.split(',').last }
DOMAINS.each do |domain|
  uri = URI("#{ROOT_URI}/domains/#{domain}/users")
  request = Net::HTTP::Put.new(uri)
  request.basic_auth(ACCOUNT, API_KEY)
  request.body = users.map { |mail| "#{mail}\n" }.join
  answer = Net::HTTP.start(uri.host, uri.port, use_ssl: true, ca_file: '/srv/ca.pem') { |http| http.request(request) }
  abort "imhs-ws-client: #{uri}: #{answer.code}" unless answer.code == '204'
  File.open(LOG_FILE, 'a') { |log| log.puts "#{ROOT_URI}: #{users.size} users, completed" }
end
X
}

# ---- set-up --------------------------------------------------------------------------------------------------------

ok 'the hosts come up' "$fleet" up "$work/fleet" 6 --prefix auto
[ "$failed" = 0 ] || finish
old=us.imhs-ws.trendmicro.com
prefix=$(sed -n 's/^prefix //p' "$work/fleet/fleet.conf")
service_ca
service_cert old "DNS:$old"
service_cert new 'DNS:ws.a.hes2.example,DNS:ws.b.hes2.example,DNS:ws.c.hes2.example,DNS:ws.d.hes2.example,DNS:ws.e.hes2.example,DNS:ws.f.hes2.example'
services=
# Each customer has services of its own, so that what goes wrong with one is that one's alone.
for n in $hosts; do
	t=$(tenant_of "$n")
	key=$(in_host "$n" sed -n "s/^API_KEY = '\(.*\)'.*/\1/p" /opt/imhs-ws-clinet/imhs-config.rb)
	umask 077
	printf %s "$key" >"$work/$t.key"
	umask 022
	services="$services${services:+,} { \"name\": \"old-$t\", \"address\": \"$prefix.20$n\", \"port\": 443, \"cert\": \"old\", \"auth\": \"basic\",
		\"account\": \"admin@customer0$n.example\", \"api_key\": \"$key\" },
		{ \"name\": \"new-$t\", \"address\": \"$prefix.21$n\", \"port\": 443, \"cert\": \"new\", \"auth\": \"both\",
		\"account\": \"admin@customer0$n.example\", \"api_key\": \"$key\" }"
	client | in_host "$n" sh -c 'cat >/opt/imhs-ws-clinet/imhs-ws-client.rb'
	in_host "$n" sh -c 'cat >/srv/ca.pem' <"$service_dir/tls/ca.pem"
	in_host "$n" sh -c "echo '$prefix.20$n $old' >>/etc/hosts; echo '$prefix.21$n ws.$t.hes2.example' >>/etc/hosts"
done
service_start "[$services]"
for n in $hosts; do
	t=$(tenant_of "$n")
	service_users "old-$t" "customer0$n.example" 4
	[ "$t" = f ] || service_name "ws.$t.hes2.example" "$prefix.21$n"
done
# The vendor copied the users on the migration date; of b all that there are, else one less.
for n in 1 3 4 5 6; do
	service_users "new-$(tenant_of $n)" "customer0$n.example" 3
done
service_users new-b customer02.example 4
cp "$work/fleet/known_hosts" "$work/known_hosts"

# tenant N MORE-OF-AGENT [MORE-OF-WEB-SERVICE]
tenant() {
	t=$(tenant_of "$1")
	read -r _ address port name _ <<X
$(sed -n "$1p" "$work/fleet/hosts.txt")
X
	cat <<X
	{ "id": "$t", "new_fqdn": { "relay": "relay.$t.hes2.example", "web_service": "ws.$t.hes2.example", "mx": "mx.$t.hes2.example" },
	  "domains": [ { "name": "customer0$1.example" } ],
	  "web_service": { "account": "admin@customer0$1.example", "api_key": "file:{tenant}.key", "ca_file": "service/tls/ca.pem"${3-} },
	  "hosts": [ { "name": "$name", "address": "$address", "port": $port, "agents": [ { "agent": "ruby-client"$2 } ] } ] }
X
}
# inventory FILE DATE [VIA of f]
inventory() {
	cat >"$work/$1" <<X
{ "inventory": 1, "procedure": "hes-1-to-2", "profile": "hes-global",
  "defaults": { "user": "cutover", "identity": "file:fleet/id_ed25519", "known_hosts": "known_hosts", "become": "sudo",
    "os": "linux", "migration_date": "$2", "retry": { "attempts": 2, "first_delay_s": 1, "max_delay_s": 2, "give_up_s": 5 },
    "uses": { "restricted_firewall": false, "outbound_filter": false, "directory_sync": true, "quarantine_notification": false },
    "windows": [ { "start": "$(date -d '1 hour ago' +%FT%T%:z)", "end": "$(date -d '30 hours' +%FT%T%:z)" } ] },
  "tenants": [ $(tenant 1 ''), $(tenant 2 ', "run": "none"'), $(tenant 3 ''), $(tenant 4 ''), $(tenant 5 ''),
    $(tenant 6 '' ", \"via\": \"${3-host}\"") ] }
X
}
inventory inv.json "$(date +%F)"
inventory early.json "$(date -d tomorrow +%F)"
inventory from-here.json "$(date +%F)" controller
state=$work/cutover.db

# The controller sees each customer's own old service: one customer a run, with the old name at its address.
cutover_for() {
	t=$1
	n=$(echo "$t" | tr abcdef 123456)
	shift
	grep -v "$old" "$work/hosts" >"$work/hosts.now"
	[ "$t" = f ] || echo "$prefix.20$n $old" >>"$work/hosts.now"
	# shellcheck disable=SC2016
	run unshare -m sh -c 'mount --bind "$1" /etc/hosts && cd "$2" && shift 2 && exec "$@"' sh "$work/hosts.now" "$work" \
		"$CUTOVER" "$@" --tenant "$t"
	cat "$out" "$err" >>"$work/said"
}
run_for() { cutover_for "$1" run inv.json --yes; }
row() {
	sqlite3 -readonly "$state" "SELECT $4 FROM entry WHERE kind = 'state' AND tenant = '$1' AND step = '$2' AND target LIKE '$3%'
		ORDER BY seq DESC LIMIT 1"
}
# is_now TENANT STEP TARGET STATE TEXT…
is_now() {
	what="$1: $2 $3"
	is "$what" "$(row "$1" "$2" "$3" to_state)" "$4"
	said=$(row "$1" "$2" "$3" text)
	shift 4
	for text in "$@"; do
		ok "$what says: $text" sh -c 'case $1 in *"$2"*) ;; *) echo "$1"; exit 1 ;; esac' sh "$said" "$text"
	done
}
config_host() { in_host "$1" sed -n "s,^ROOT_URI = 'https://\([^/]*\)/.*,\1,p" /opt/imhs-ws-clinet/imhs-config.rb; }

# ---- plan, before the vendor's migration ----------------------------------------------------------------------------

cutover_for a plan early.json
status_is 'plan before the migration date' 0
err_has 'plan: the old number' 'ws.a.hes2.example is asked from the migration date on'
err_has 'plan: the old number' 'the old service listed 4 ('
is 'plan: the new service is not asked before' "$(grep -c new-a "$service_dir/requests.log")" 0
cutover_for a run early.json --yes --state early.db
status_is 'run before the migration date' 5
is 'and nobody is asked' "$(grep -c PUT "$service_dir/requests.log")" 0

# ---- a: all is well --------------------------------------------------------------------------------------------------

run_for a
status_is 'a: exit code: what is left is no work of this version' 5
is_now a web-service-reach domain: verified 'lists 3 users of customer01.example; the old service listed 4 ('
is_now a sync-client host: verified
is_now a sync-client domain: verified 'ws.a.hes2.example lists 4 users of customer01.example, the old service listed 4 (' \
	'the client of host:sync-01 ran to its end with the new name ('
is 'a: the client has sent its users to the new service' "$(sort "$service_dir/new-a/customer01.example" | head -n 1)" sato@customer01.example
is 'a: and to no other' "$(jq -r 'select(.method == "PUT" and .good) | .name' "$service_dir/requests.log" | sort -u)" new-a
is 'a: Digest where it is offered' "$(jq -r 'select(.name == "new-a" and .method == "GET" and .good) | .scheme' "$service_dir/requests.log" | sort -u)" Digest
is 'a: Basic where it is not' "$(jq -r 'select(.name == "old-a" and .good) | .scheme' "$service_dir/requests.log" | sort -u)" Basic
asked=$(wc -l <"$service_dir/requests.log")
run_for a
is_now a sync-client domain: verified
is 'a: again: looked at, the client is not run again' "$(jq -r 'select(.method == "PUT" and .good) | .name' "$service_dir/requests.log" | wc -l)" 1
ok 'a: again: the services were asked' test "$(wc -l <"$service_dir/requests.log")" -gt "$asked"
ok 'a: what was kept stays as it was before the change' sh -c '[ "$(sqlite3 -readonly "$1" "SELECT json_extract(data, '\''$.\"new.count\"'\'') FROM entry
	WHERE action = '\''facts'\'' AND tenant = '\''a'\'' AND step = '\''web-service-reach'\'' ORDER BY seq DESC LIMIT 1")" = 3 ]' sh "$state"
# The old list is emptied by the vendor afterwards; the number of before is what counts.
: >"$service_dir/old-a/customer01.example"
run_for a
is_now a sync-client domain: verified 'the old service listed 4 ('
cutover_for a why
cutover_for a rollback --yes
status_is 'a: rollback' 0
is_now a sync-client host: rolled_back
is_now a sync-client domain: rolled_back
is 'a: rolled back' "$(config_host 1)" "$old"
service_users old-a customer01.example 4
service_users new-a customer01.example 3
run_for a
is_now a sync-client host: verified
is_now a sync-client domain: verified 'lists 4 users'

# ---- b: the number fits, but nothing ran -----------------------------------------------------------------------------

run_for b
status_is 'b: exit code' 5
is_now b web-service-reach domain: verified
is_now b sync-client host: verified
is_now b sync-client domain: needs_person 'lists 4 users' 'nothing shows that a sync ran with the new name'
is 'b: the change stays' "$(config_host 2)" ws.b.hes2.example
in_host 2 sh -c 'echo New,new@customer02.example >>/opt/imhs-ws-clinet/users.csv; cd /opt/imhs-ws-clinet && runuser -u sync ruby imhs-ws-client.rb'
run_for b
is_now b sync-client domain: needs_person 'lists 5 users' 'and 0 may be the difference'
in_host 2 sh -c 'sed -i "/Sato/d" /opt/imhs-ws-clinet/users.csv; cd /opt/imhs-ws-clinet && runuser -u sync ruby imhs-ws-client.rb'
run_for b
is_now b sync-client domain: verified 'lists 4 users' 'the list is another one than before the change'

# ---- c: not enabled in the new console -------------------------------------------------------------------------------

service_behave new-c auth:never
run_for c
is_now c web-service-reach domain: needs_person 'ws.c.hes2.example refuses the account admin@customer03.example (status 401)' \
	'[Administration] > [Web Services & Tools]' 'Do not make a new key'
is_now c sync-client host: failed
is_now c sync-client domain: blocked 'waits for host:sync-03'
cutover_for c status
service_behave new-c
run_for c
is_now c web-service-reach domain: verified
is_now c sync-client host: verified
is_now c sync-client domain: verified 'lists 4 users'

# ---- d: the old service is not there any more ------------------------------------------------------------------------

service_behave old-d cut:accept
run_for d
is_now d web-service-reach domain: verified 'what the old service listed is not known: ' 'no TLS came about'
is_now d sync-client host: verified
is_now d sync-client domain: needs_person 'lists 4 users of customer04.example' 'so the sync is not proved' 'what the old service listed is not known'
service_behave old-d
run_for d
is_now d sync-client domain: verified 'the old service listed 4 ('

# ---- e: too few users ------------------------------------------------------------------------------------------------

in_host 5 sh -c 'sed -i "/Sato/d" /opt/imhs-ws-clinet/users.csv'
service_behave new-e status:503
run_for e
is_now e web-service-reach domain: failed 'ws.e.hes2.example answers with status 503'
service_behave new-e
echo "the proof is polled for while the list may be on its way: stopped by us" >"$work/e.note"

# ---- f: from the sync host's own session --------------------------------------------------------------------------------

cutover_for f plan from-here.json
status_is 'f: the controller itself does not get there' 1
err_has 'f: it does not know the name' 'ws.f.hes2.example'
cutover_for f plan early.json
status_is 'f: plan through the host' 0
err_has 'f: plan: the old number' 'the old service listed 4 ('
forwarding() { in_host 6 sh -c "sed -i 's/^no-port-forwarding //; s/^/$1/' ~cutover/.ssh/authorized_keys"; }
forwarding 'no-port-forwarding '
run_for f
is_now f web-service-reach domain: needs_person '(administratively prohibited); see AllowTcpForwarding, ' \
	'Allow the login there to connect to ws.f.hes2.example port 443 (PermitOpen)'
is_now f sync-client host: verified
is_now f sync-client domain: needs_person '(administratively prohibited)'
is 'f: the change stays' "$(config_host 6)" ws.f.hes2.example
forwarding ''
run_for f
is_now f web-service-reach domain: verified 'ws.f.hes2.example (asked from host:sync-06) answers to admin@customer06.example'
is_now f sync-client domain: verified 'ws.f.hes2.example (asked from host:sync-06) lists 4 users of customer06.example, the old service listed 4 ('

# ---- what nobody may read ----------------------------------------------------------------------------------------------

"$CUTOVER" report --state "$state" --format json --out "$work/report" >>"$work/said" 2>&1
"$CUTOVER" report --state "$state" --format html --out "$work/report" >>"$work/said" 2>&1
sqlite3 -readonly "$state" .dump >"$work/dump"
for t in a b c d e f; do
	base64=$(printf 'admin@customer0%s.example:%s' "$(echo $t | tr abcdef 123456)" "$(cat "$work/$t.key")" | base64 -w 0)
	for secret in "$(cat "$work/$t.key")" "$base64"; do
		not_ok "$t: no secret is written anywhere" grep -rqF -e "$secret" "$work/said" "$work/dump" "$work/report"
	done
	not_ok "$t: nor whose addresses they are" grep -rqF -e "suzuki@" -e "user2@" "$work/said" "$work/dump" "$work/report"
done
finish
