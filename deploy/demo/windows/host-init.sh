#!/bin/sh
# deploy/demo/windows/host-init.sh TAG N DIR ADDRESS PORT NAME VARIANTS
#
# One Windows host: its first process (pid 1), started by winhosts.sh in new mount, pid, uts and ipc namespaces, with the
# machine's network. It makes the host's file tree (tree.sh), puts an overlay over the common Wine prefix, installs the
# sync client, boots Wine (services with start type auto start, as on Windows), starts sshd, and then only waits.
#
# Needs root, DIR/template (template.sh). Leaves nothing: mounts and files die with the namespace. Writes DIR/hosts/N/pid.
set -eu

tag=$1 n=$2 dir=$3 address=$4 port=$5 name=$6 variants=$7
here=$(dirname "$(realpath "$0")")
. "$here/tree.sh"
. "$here/hooks.sh"

# What differs from host to host is in memory. The client's files are written anew in each: a file that is still the
# common one gets another inode with its first change, and by the inode Wine knows who shares what.
make_host() {
	make_tree
	mkdir -p /sys/upper /sys/work
	mount -t overlay -o "lowerdir=$(realpath "$dir/template/prefix"),upperdir=/sys/upper,workdir=/sys/work" none wine
	mount --bind wine/drive_c C:
	cp -r "$here/client" "$here/variants" run/winhost/
	cp "$dir"/template/programs/*.exe run/winhost/
	cp -r "$here/../client" run/winhost/ruby-client
	cp "$here/session.sh" run/winhost/session
	cp "$here/tree.sh" "$here/ruby.sh" run/winhost/
	cp "$dir/hosts/$n/ssh_host_key" "$dir/hosts/$n/ssh_host_key.pub" etc/ssh/
	cp "$dir/id_ed25519.pub" etc/ssh/authorized_keys
	printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" >etc/hosts
	cat >etc/ssh/sshd_config <<-C
		Port $port
		ListenAddress $address
		HostKey /etc/ssh/ssh_host_key
		PidFile /run/sshd.pid
		AuthorizedKeysFile /etc/ssh/authorized_keys
		PermitRootLogin yes
		StrictModes no
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UsePAM no
		UseDNS no
		PrintMotd no
		VersionAddendum none
		LogLevel VERBOSE
		MaxStartups 200
		ForceCommand exec /run/winhost/session
		Subsystem sftp sftp-server.exe
	C
}

# The client as its installer leaves it: a folder, two services, an entry among the installed programs.
install_client() {
	mkdir -p "$FOLDER"
	cp /run/winhost/PluginService.exe /run/winhost/client/PluginService.exe.config "$FOLDER/"
	service "$AGENT" "$PRODUCT Agent" "\"$WINDOWS_FOLDER\\PluginService.exe\"" 2
	service "$SERVICE" "$PRODUCT Service" "\"$WINDOWS_FOLDER\\PluginService.exe\"" 2
	service WinhostSchedule 'Task Scheduler of the demo' 'C:\windows\system32\schtasks.exe /starter' 3
	key='Software\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{6E2C4F1B-90A7-4D3E-8F5B-2B7C1D0A9E44}'
	registry "$key" DisplayName "$PRODUCT Client"
	registry "$key" InstallLocation "$WINDOWS_FOLDER\\"
}

# Each in a shell of its own, so that none can disturb the next.
run_variants() {
	IFS=,
	for variant in $variants; do
		unset IFS
		# shellcheck disable=SC1090
		(. "/run/winhost/variants/$variant.sh") || { echo "variant $variant failed"; exit 1; }
	done
	unset IFS
}

# The first program boots Wine: it starts the service manager and with it the services. wineserver stays when no program
# is left.
boot() {
	cd /C:/windows
	setpriv --bounding-set "$capabilities" wineserver64 -p
	setpriv --bounding-set "$capabilities" wine64 cmd /c ver >/dev/null
}

main() {
	# The shell's number outside: /proc is still the machine's.
	read -r pid _ </proc/self/stat
	echo "$pid" >"$dir/hosts/$n/pid"
	exec 8<"$dir/template/used"
	flock -s 8
	ln -sfnT "/proc/$pid/root/C:" "$dir/hosts/$n/c"
	umask 022
	hostname "$name"
	make_host
	enter_tree
	windows_env
	install_client
	run_variants
	boot
	/usr/sbin/sshd -D -E /run/sshd.log &
	sleep infinity &
	wait
}

: "$tag"
main
exit
