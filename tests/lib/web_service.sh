# shellcheck shell=sh
# Directory web services over HTTPS with a CA of their own (lib/web_service.mjs), for shell tests; sourced behind
# lib/tap.sh. Needs node, openssl and, for names, a mount namespace.
#
#     service_or_skip 'what is skipped'
#     service_ca                              the CA: $service_dir/tls/ca.pem; and another one: other-ca.pem
#     service_cert CERT 'DNS:a.test' [FROM TO [CA]]   FROM and TO as YYMMDDHHMMSSZ
#     service_start JSON                      of services.json; waits until all of them listen
#     service_port NAME
#     service_users NAME DOMAIN N             N addresses; service_behave NAME WHAT (none: as it should be)
#     service_name NAME ADDRESS               a line of the hosts file that with_names shows to a command
#     with_names COMMAND...                   runs it with that hosts file
#     service_stop                            also at the end, if the test's cleanup calls it

# work, status: tap.sh's.
# shellcheck disable=SC2154
service_dir=$work/service
service_pid=
for service_lib in ../lib ../../lib; do
	[ ! -f "$(dirname "$0")/$service_lib/web_service.mjs" ] || service_script=$(dirname "$0")/$service_lib/web_service.mjs
done

service_or_skip() {
	for service_tool in node openssl; do
		command -v "$service_tool" >/dev/null && continue
		skip "$1" "there is no $service_tool (deploy/deps.sh --tests installs it)"
		finish
	done
	if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
		skip "$1" 'needs root and mount namespaces'
		finish
	fi
}

# service_make_ca NAME
service_make_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1 of the tests" -days 30 \
		-keyout "$service_dir/tls/$1.key" -out "$service_dir/tls/$1.pem" 2>>"$work/openssl.log"
}

service_ca() {
	mkdir -p "$service_dir/tls/issued"
	: >"$service_dir/tls/index.txt"
	echo 01 >"$service_dir/tls/serial"
	service_make_ca ca
	service_make_ca other-ca
	cat >"$service_dir/tls/ca.conf" <<X
[ca]
default_ca = it
[it]
database = $service_dir/tls/index.txt
serial = $service_dir/tls/serial
new_certs_dir = $service_dir/tls/issued
default_md = sha256
default_days = 20
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
X
}

service_cert() {
	set -- "$1" "$2" "${3-}" "${4-}" "${5-ca}"
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -addext "subjectAltName=$2" \
		-keyout "$service_dir/tls/$1.key" -out "$service_dir/tls/$1.csr" 2>>"$work/openssl.log"
	openssl ca -batch -notext -config "$service_dir/tls/ca.conf" -in "$service_dir/tls/$1.csr" -cert "$service_dir/tls/$5.pem" \
		-keyfile "$service_dir/tls/$5.key" ${3:+-startdate "$3"} ${4:+-enddate "$4"} -out "$service_dir/tls/$1.pem" 2>>"$work/openssl.log"
}

service_start() {
	echo "$1" >"$service_dir/services.json"
	rm -f "$service_dir/ready.json"
	: >"$service_dir/requests.log"
	for service_name in $(jq -r '.[].name' "$service_dir/services.json"); do
		mkdir -p "$service_dir/$service_name"
	done
	node "$service_script" "$service_dir" >"$work/service.said" 2>&1 &
	service_pid=$!
	wait_until 'the services listen' 30 test -s "$service_dir/ready.json"
}

service_stop() {
	[ -z "$service_pid" ] || kill "$service_pid" 2>/dev/null || true
	[ -z "$service_pid" ] || wait "$service_pid" 2>/dev/null || true
	service_pid=
}

service_port() {
	jq -r --arg n "$1" '.[$n]' "$service_dir/ready.json"
}

service_users() {
	awk -v n="$3" -v domain="$2" 'BEGIN { for (i = 1; i <= n; i++) printf "user%d@%s\n", i, domain }' >"$service_dir/$1/$2"
}

service_behave() {
	if [ -n "${2-}" ]; then echo "$2" >"$service_dir/$1/behave"; else rm -f "$service_dir/$1/behave"; fi
}

service_name() {
	[ -f "$work/hosts" ] || grep -v '\.test$' /etc/hosts >"$work/hosts"
	echo "$2 $1" >>"$work/hosts"
}

# A function, so that run (tap.sh), which needs a program, gets the script.
with_names() {
	# shellcheck disable=SC2016
	run unshare -m sh -c 'mount --bind "$1" /etc/hosts && shift && exec "$@"' sh "$work/hosts" "$@"
}
