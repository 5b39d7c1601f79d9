# shellcheck shell=sh disable=SC2154
# The Agent depends on the Service: the one does not stop while the other runs (1051), and starts it where it is stopped.
registry "System\\CurrentControlSet\\Services\\$AGENT" DependOnService "several:$SERVICE"
