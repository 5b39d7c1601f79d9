#!/bin/sh
# Very many sessions at once, and floods among them (the fleet server). CUTOVER_SESSIONS: how many (1000). Needs root.
. "$(dirname "$0")/../../lib/tap.sh"
. "$(dirname "$0")/lib.sh"
need_root
sessions=1000
# Under a sanitizer each costs three times as much.
ldd "$probe_bin" | grep -q asan && sessions=200
sessions=${CUTOVER_SESSIONS:-$sessions}
TAP_TIMEOUT_S=600
fleet_begin 127.8.0.1 "$sessions"
sed -i 's/^127.8.0.1$/127.8.0.1 fault=flood:400/; s/^127.8.0.2$/127.8.0.2 fault=flood:400/' "$fleet_root/hosts.txt"
fleet_up
echo 'echo done' >"$work/x.sh"

# All are open before the first op begins.
fleet_probe --quiet --hold --budget shell=300000 --budget auth=60000 --budget handshake=60000 --budget banner=60000 --range 127.8.0.3 $((sessions - 2)) -- "run,t=120000:$work/x.sh"
out_has "$((sessions - 2)) sessions open at once" "held opened=$((sessions - 2)) failed=0"
out_has 'each does its work' "ops_ok=$((sessions - 2)) ops_failed=0"
out_has 'nothing is left' 'handles=none fds=none'
is 'the status says so' "$status" 0
sed -n 's/^total.*\(cpu_ms_per_host.*\)/# \1/p' "$out"

# Two hosts flood for eight seconds; the others are done meanwhile.
fleet_probe --quiet --budget shell=60000 127.8.0.1 127.8.0.2 --range 127.8.0.3 20 -- "exec,t=8000:cat /dev/zero" >/dev/null
out_has 'floods end by their time' '127.8.0.1 0 err='
fleet_probe --quiet --budget shell=60000 --range 127.8.0.1 22 -- "run,t=8000:$work/x.sh" 'exec,t=8000:head -c 100000 /dev/zero'
ok 'floods disturb no other' test "$(grep -c '^127.8.0.\([3-9]\|1[0-9]\|2[0-2]\) [01] err=' "$out")" = 0
out_has 'nothing is left of them' 'handles=none fds=none'

# A key exchange at a time, and all come to their turn.
fleet_probe --quiet --handshakes 1 --budget shell=60000 --range 127.8.0.3 20 -- "run,t=60000:$work/x.sh"
out_has 'one key exchange at a time' 'opened=20 failed=0 ops_ok=20'

# Descriptors: what cannot be is refused with a number.
run sh -c 'ulimit -n 200; exec "$@"' sh "$probe_bin" --user root --key "$keys/id_ed25519" --port "$port" --range 127.8.0.3 500
is 'too few descriptors are refused' "$status" 2
err_has 'with the number that is possible' 'hosts at once need'
finish
