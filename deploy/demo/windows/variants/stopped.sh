# shellcheck shell=sh disable=SC2154
# Somebody has stopped both services, and set the Agent so that it stays so.
registry "System\\CurrentControlSet\\Services\\$AGENT" Start dword:00000004
registry "System\\CurrentControlSet\\Services\\$SERVICE" Start dword:00000003
