#!/bin/dash
# What sshd runs for every request of a session (ForceCommand, by `exec`: sshd shall be the parent): SFTP, or a command by
# the host's cmd.exe. It ends with the connection: setpriv has the kernel kill the program when sshd's process for the
# connection goes, and the job that sshshell.exe is in then ends all that the command started, as on Windows. Where the
# file /run/winhost/no-job is there, what was started lives on, as with those versions of OpenSSH for Windows that lose
# their job when a connection is cut.
# shellcheck source=tree.sh
. "${0%/*}/tree.sh"
windows_env
cd /C:/Users/Administrator || exit
if [ "$SSH_ORIGINAL_COMMAND" = sftp-server.exe ]; then
	exec setpriv --pdeathsig KILL --bounding-set "$capabilities" wine64 'C:\windows\sftp-server.exe'
fi
if [ -e "${0%/*}/no-job" ]; then
	export SSH_NO_JOB=1
fi
exec setpriv --pdeathsig KILL --bounding-set "$capabilities" wine64 'C:\windows\sshshell.exe'
