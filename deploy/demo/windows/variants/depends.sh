# shellcheck shell=sh disable=SC2154
# The Agent depends on the Service: the one does not stop while the other runs (1051), and starts it where it is stopped.
printf '\n[%s] 1700000000\n"DependOnService"=str(7):"%s\\0"\n' \
	"$(registry_text "System\\CurrentControlSet\\Services\\$AGENT")" "$SERVICE" >>/wine/system.reg
