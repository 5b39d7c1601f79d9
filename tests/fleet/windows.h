/*
 * windows: hosts with os=windows in the hosts file. The server itself knows no Windows: it says that it is OpenSSH for
 * Windows, and hands each request on, with the faults of the host on the way as for any other.
 *
 *   a command      to the program ROOT/hosts/ADDR/session, which finds it in SSH_ORIGINAL_COMMAND as with sshd's
 *                  ForceCommand (`winhosts.sh session`: a Wine host's cmd.exe runs it). It runs on this machine, in no
 *                  namespace. Without such a program the client is told that there is none, with exit code 1
 *   sftp           to the same program, as the command sftp-server.exe; without one to win_sftp, on
 *                  ROOT/hosts/ADDR/c, with ROOT/hosts/ADDR/held as the list of paths that another process holds
 *   exit status    all 32 bits: what the program writes, in decimal, into the file that WINHOST_CODE_FILE names;
 *                  else the program's own
 *   the end        of a connection ends what it started (the job object of OpenSSH for Windows); that of a channel
 *                  does not
 */
#ifndef FLEET_WINDOWS_H
#define FLEET_WINDOWS_H

#include <limits.h>

#include "conn.h"

#define WINDOWS_BANNER "OpenSSH_for_Windows_9.8 Win32-OpenSSH-GitHub"
#define WINDOWS_SFTP "sftp-server.exe"

/* What to run for a host's request, by /bin/sh -c. */
struct windows_command {
	char line[3 * PATH_MAX];
	char code_file[PATH_MAX];
};

void windows_command(struct windows_command *, const struct fleet *, const struct host *, const char *command);

/* What the request ended with: the number in the code file, which is removed, else the 8 bits that this machine has. */
uint32_t windows_exit_code(const char *code_file, int wait_status);

#endif
