# shellcheck shell=sh
# What a session started lives on when the connection is cut (Win32-OpenSSH#1751).
: >/run/winhost/no-job
