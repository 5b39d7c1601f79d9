# shellcheck shell=sh disable=SC2154
# The client goes through a proxy of the customer's, and not to the vendor's service.
sed -i 's#https://us.imhs-ws.trendmicro.com/#https://hes-proxy.customer.example:8443/#' "$CONFIG"
