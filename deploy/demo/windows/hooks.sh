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

# registry KEY NAME VALUE: a string of HKEY_LOCAL_MACHINE; a number where VALUE is dword:XXXXXXXX, one with variables where
# it is expand:TEXT, several where it is several:TEXT (one).
registry() {
	case $3 in
	dword:*) value=$3 ;;
	expand:*) value="str(2):\"$(registry_text "${3#expand:}")\"" ;;
	several:*) value="str(7):\"$(registry_text "${3#several:}")\\0\"" ;;
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

# scheduled_task NAME ENABLED COMMAND ARGUMENTS FOLDER: each night at 3:23. The texts go into XML as they are.
scheduled_task() {
	mkdir -p /C:/windows/system32/Tasks
	sed 's/$/\r/' <<-T | iconv -t UTF-16LE >"/C:/windows/system32/Tasks/$1"
		$(printf '\357\273\277')<?xml version="1.0" encoding="UTF-16"?>
		<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
		  <RegistrationInfo>
		    <Date>2012-06-11T09:30:00</Date>
		    <Author>WIN\Administrator</Author>
		    <URI>\\$1</URI>
		  </RegistrationInfo>
		  <Triggers>
		    <CalendarTrigger>
		      <StartBoundary>2012-06-11T03:23:00</StartBoundary>
		      <Enabled>true</Enabled>
		      <ScheduleByDay>
		        <DaysInterval>1</DaysInterval>
		      </ScheduleByDay>
		    </CalendarTrigger>
		  </Triggers>
		  <Principals>
		    <Principal id="Author">
		      <UserId>S-1-5-18</UserId>
		      <RunLevel>HighestAvailable</RunLevel>
		    </Principal>
		  </Principals>
		  <Settings>
		    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
		    <AllowHardTerminate>true</AllowHardTerminate>
		    <Enabled>$2</Enabled>
		    <ExecutionTimeLimit>PT72H</ExecutionTimeLimit>
		  </Settings>
		  <Actions Context="Author">
		    <Exec>
		      <Command>$3</Command>
		      <Arguments>$4</Arguments>
		      <WorkingDirectory>$5</WorkingDirectory>
		    </Exec>
		  </Actions>
		</Task>
	T
}

# control LINE...: into the service's control file.
control() {
	printf '%s\r\n' "$@" >>"$CONTROL"
}
