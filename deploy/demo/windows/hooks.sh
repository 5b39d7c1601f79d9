# shellcheck shell=sh disable=SC2034
# What host-init.sh and the variants use to make a host what it is; sourced, as root in the host's tree, while Wine does not
# run yet. The registry is a text file then: a value that is added at its end wins.

FOLDER='/C:/Program Files (x86)/Trend Micro/Hosted Email Security ActiveDirectory Sync Client'
WINDOWS_FOLDER='C:\Program Files (x86)\Trend Micro\Hosted Email Security ActiveDirectory Sync Client'
CONFIG=$FOLDER/PluginService.exe.config
CONTROL=$FOLDER/PluginService.exe.control
AGENT=ImhsAdSyncAgent
SERVICE=ImhsAdSyncService
PRODUCT='Hosted Email Security ActiveDirectory Sync'

# Back slashes and quotes as the file has them.
registry_text() {
	printf %s "$1" | sed 's/[\\"]/\\&/g'
}

# registry KEY NAME VALUE: a string of HKEY_LOCAL_MACHINE; a number where VALUE is dword:XXXXXXXX.
registry() {
	case $3 in
	dword:*) value=$3 ;;
	*) value="\"$(registry_text "$3")\"" ;;
	esac
	printf '\n[%s] 1700000000\n"%s"=%s\n' "$(registry_text "$1" | sed 's/\\"/"/g')" "$2" "$value" >>/wine/system.reg
}

# service KEY DISPLAY LINE START: installed; LINE is its program with its arguments, START 2 (auto), 3 (demand), 4 (disabled)
service() {
	key="System\\CurrentControlSet\\Services\\$1"
	registry "$key" DisplayName "$2"
	registry "$key" ErrorControl dword:00000001
	registry "$key" ImagePath "$3"
	registry "$key" ObjectName LocalSystem
	registry "$key" Start "dword:0000000$4"
	registry "$key" Type dword:00000010
}

# control LINE...: into the service's control file.
control() {
	printf '%s\r\n' "$@" >>"$CONTROL"
}
