#!/bin/dash
# What sshd runs for every request of a session (ForceCommand): SFTP, or a command by the host's cmd.exe. It ends with the
# connection: setpriv has the kernel kill sshshell when sshd's process for the connection goes, and the job that
# sshshell.exe is in then ends all that the command started, as on Windows.
# shellcheck source=tree.sh
. "${0%/*}/tree.sh"
windows_env
if [ "$SSH_ORIGINAL_COMMAND" = sftp-server.exe ]; then
	cd /C:/Users/Administrator || exit
	exec /usr/lib/openssh/sftp-server
fi
cd /C:/Users/Administrator || exit
exec setpriv --pdeathsig KILL wine64 'C:\windows\sshshell.exe'
