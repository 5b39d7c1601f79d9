@echo off
rem windows.cmd --key "PUBLIC_KEY" --from "ADDRESS[,ADDRESS...]" [--user NAME] [--address ADDRESS] [--header]
rem windows.cmd --remove [--keep-sshd]
rem
rem Makes a Windows host ready for cutover, and takes all of that away again. For a remote-management tool: runs as SYSTEM
rem or as an elevated administrator, without a console; may be run again at any time. Windows 10 1809, Server 2019 or newer;
rem no PowerShell. Downloads nothing but Windows' own capability OpenSSH.Server, where there is no service sshd, by dism.
rem It holds no secret: a public key is none.
rem
rem   --key      the public key that cutover logs in with: "ssh-ed25519 AAAA... comment"
rem   --from     the addresses or networks (CIDR) that it may log in from: the controllers, or the bastion before this host
rem   --user     the login (default cutover), an administrator; made where there is none, and then nobody knows its password
rem   --address  the address for the inventory (default: the first that this host has for its own name)
rem   --header   the names of the columns before the line
rem   --remove   takes away what an earlier run made, and nothing else: what was there before stays
rem   --keep-sshd  with --remove: the service sshd stays as it is now
rem Each can be given in the environment instead: CUTOVER_KEY, CUTOVER_FROM, CUTOVER_USER, CUTOVER_ADDRESS;
rem CUTOVER_HEADER=1, CUTOVER_REMOVE=1, CUTOVER_KEEP_SSHD=1.
rem
rem On stdout: one line of CSV for the inventory (README.md says what is in it), nothing for --remove; the rest on stderr.
rem Leaves behind, until --remove: the login; its key in %ProgramData%\ssh\administrators_authorized_keys and two files beside
rem that (what it was, what it became); the firewall rule cutover-bootstrap; and what was found and made in the registry key
rem HKLM\SOFTWARE\cutover-bootstrap, each value written before the thing is done, so that --remove works after any crash.
rem While it runs: the folder %SystemRoot%\cutover-bootstrap, which keeps a second run out.
rem
rem A login that is made gets a password of 32 random bytes, which nobody is told. net.exe has it in its arguments for a
rem moment, so an audit of command lines keeps it.
rem
rem Exit codes: 0 done - 1 a step failed, said which; run it again - 2 wrong usage - 3 something here is in the way and is a
rem person's to settle; nothing was changed.
setlocal EnableExtensions DisableDelayedExpansion
set "ERRORLEVEL="
set "self=%~f0"
set "s=%SystemRoot%\System32"
set "scratch=%SystemRoot%\cutover-bootstrap"
set "ssh=%ProgramData%\ssh"
set "keys=%ssh%\administrators_authorized_keys"
set "record=HKLM\SOFTWARE\cutover-bootstrap"
set "mark=cutover-bootstrap"
set "our_line=^from=.*,no-pty .* cutover-bootstrap"
set "users=%SystemRoot:~0,2%\Users"
set "service=HKLM\SYSTEM\CurrentControlSet\Services\sshd"
set "profiles=HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
set "capability=OpenSSH.Server~~~~0.0.1.0"
if not defined CUTOVER_USER set "CUTOVER_USER=cutover"

:arguments
if "%~1"=="" goto arguments_end
if "%~1"=="--key" set "CUTOVER_KEY=%~2" & shift & goto next_argument
if "%~1"=="--from" set "CUTOVER_FROM=%~2" & shift & goto next_argument
if "%~1"=="--user" set "CUTOVER_USER=%~2" & shift & goto next_argument
if "%~1"=="--address" set "CUTOVER_ADDRESS=%~2" & shift & goto next_argument
if "%~1"=="--header" set "CUTOVER_HEADER=1" & goto next_argument
if "%~1"=="--remove" set "CUTOVER_REMOVE=1" & goto next_argument
if "%~1"=="--keep-sshd" set "CUTOVER_KEEP_SSHD=1" & goto next_argument
call :usage "there is no argument %~1"
exit /b 2
:next_argument
shift
goto arguments
:arguments_end

rem A 32-bit tool's cmd.exe has another System32, without sshd and dism, and another registry: on with the 64-bit one. What was
rem asked is in the environment by now.
if not defined PROCESSOR_ARCHITEW6432 goto native
set "PROCESSOR_ARCHITEW6432="
"%SystemRoot%\Sysnative\cmd.exe" /d /s /c ""%self%""
exit /b %errorlevel%
:native

if defined CUTOVER_REMOVE goto asked
if not defined CUTOVER_KEY call :usage "--key is missing: the public key that cutover logs in with" & exit /b 2
if not defined CUTOVER_FROM call :usage "--from is missing: without it anybody who has the key could log in from anywhere" & exit /b 2
rem By `set`, which prints a value and does not run it.
set CUTOVER_KEY|"%s%\findstr.exe" /c:"PRIVATE" >nul
if not errorlevel 1 call :usage "--key is a private key: give the public one (the file that ends in .pub), and make a new pair" & exit /b 2
set CUTOVER_KEY|"%s%\findstr.exe" /r /c:"^CUTOVER_KEY=ssh-ed25519 [A-Za-z0-9+/=]*$" /c:"^CUTOVER_KEY=ssh-ed25519 [A-Za-z0-9+/=]* [A-Za-z0-9@._ :+-]*$" /c:"^CUTOVER_KEY=ssh-rsa [A-Za-z0-9+/=]*$" /c:"^CUTOVER_KEY=ssh-rsa [A-Za-z0-9+/=]* [A-Za-z0-9@._ :+-]*$" /c:"^CUTOVER_KEY=ecdsa-sha2-nistp[0-9]* [A-Za-z0-9+/=]*$" /c:"^CUTOVER_KEY=ecdsa-sha2-nistp[0-9]* [A-Za-z0-9+/=]* [A-Za-z0-9@._ :+-]*$" >nul
if errorlevel 1 call :usage "--key is no public key of OpenSSH's (ssh-ed25519, ecdsa-sha2-nistp..., ssh-rsa), in one line, its comment without special characters" & exit /b 2
set CUTOVER_FROM|"%s%\findstr.exe" /r /c:"^CUTOVER_FROM=[0-9A-Fa-f:.,/]*$" >nul
if errorlevel 1 call :usage "--from is no list of addresses or networks: 192.0.2.7 or 192.0.2.0/24,2001:db8::/64" & exit /b 2
rem 21 characters: Windows has no such logins.
set CUTOVER_USER|"%s%\findstr.exe" /r /c:"^CUTOVER_USER=....................." >nul
if not errorlevel 1 call :usage "--user is longer than the 20 characters of a login" & exit /b 2
set CUTOVER_USER|"%s%\findstr.exe" /r /c:"^CUTOVER_USER=[A-Za-z0-9_][A-Za-z0-9_-]*$" >nul
if errorlevel 1 call :usage "--user is no name of a login" & exit /b 2
if not defined CUTOVER_ADDRESS goto address_looked_at
set CUTOVER_ADDRESS|"%s%\findstr.exe" /r /c:"^CUTOVER_ADDRESS=[A-Za-z0-9:.-]*$" >nul
if errorlevel 1 call :usage "--address is no address" & exit /b 2
:address_looked_at
for /f "tokens=1,2" %%a in ("%CUTOVER_KEY%") do set "key=%%a %%b"
set "user=%CUTOVER_USER%"
:asked

rem High or system integrity: elevated. By numbers, since the names are in the machine's language.
"%s%\whoami.exe" /groups /fo csv /nh | "%s%\findstr.exe" /r /c:"S-1-16-12288" /c:"S-1-16-16384" >nul
if errorlevel 1 call :say "this needs an elevated administrator, or SYSTEM" & exit /b 2

rem One at a time. What lies in the folder is for SYSTEM and administrators only, while others may look into most of %SystemRoot%.
mkdir "%scratch%" 2>nul
if errorlevel 1 call :say "another run is at work here; if there is none, remove the folder %scratch% and run it again" & exit /b 1
"%s%\icacls.exe" "%scratch%" /inheritance:r /grant "*S-1-5-18:(OI)(CI)F" /grant "*S-1-5-32-544:(OI)(CI)F" >nul
set "code=%errorlevel%"
if not "%code%"=="0" call :say "icacls could not close the folder %scratch% to others" & goto work_done
call :work
set "code=%errorlevel%"
:work_done
rmdir /s /q "%scratch%"
if "%code%"=="0" exit /b 0
if "%code%"=="3" exit /b 3
exit /b 1

:work
call :read_record
if defined CUTOVER_REMOVE goto remove

rem ---- what may be in the way, before anything is changed ------------------------------------------------------------

set "admins="
for /f "tokens=1,3 delims=," %%G in ('""%s%\whoami.exe" /groups /fo csv /nh"') do if "%%~H"=="S-1-5-32-544" set "admins=%%~nxG"
if not defined admins call :say "the group of administrators was not found among this login's groups" & exit /b 1
set "user_is_here=1"
call :user_exists
if errorlevel 1 set "user_is_here="
if not defined user_is_here goto new_login
rem One of ours may lack it, after a crash: it is made one below.
if defined record_user-%user% goto login_looked_at
call :is_admin
if errorlevel 1 call :say "the login %user% is here and no administrator: make it one, or use another --user; nothing was changed" & exit /b 3
goto login_looked_at
:new_login
call :value_of "HKLM\SYSTEM\CurrentControlSet\Control\ProductOptions" ProductType
if /i not "%value%"=="LanmanNT" goto login_looked_at
call :say "this is a domain controller: a login made here would be the whole domain's. Give --user an administrator of yours; nothing was changed"
exit /b 3
:login_looked_at
set "had_sshd=1"
"%s%\sc.exe" query sshd >nul 2>&1
if errorlevel 1 set "had_sshd="
if not defined had_sshd goto add_sshd
call :check_settings
if errorlevel 1 call :say "nothing was changed" & exit /b 3
goto have_sshd

rem ---- sshd ----------------------------------------------------------------------------------------------------------

:add_sshd
call :say "there is no service sshd: adding %capability%"
call :note capability %capability%
if errorlevel 1 exit /b 1
call :note_first_start
if errorlevel 1 exit /b 1
"%s%\dism.exe" /online /norestart /add-capability /capabilityname:%capability% >&2
rem 3010: done, and Windows wants to be started again some time; sshd does not.
if not "%errorlevel%"=="0" if not "%errorlevel%"=="3010" call :say "dism could not add %capability% (above is why): add it, or the MSI of OpenSSH, and run this again" & exit /b 1
"%s%\sc.exe" query sshd >nul 2>&1
if errorlevel 1 call :say "dism added %capability%, but there is still no service sshd: restart Windows and run this again" & exit /b 1
:have_sshd
call :value_of "%service%" Start
if "%value%"=="0x2" goto starts_by_itself
set "start=%value%"
if not defined record_start call :note start %start% & if errorlevel 1 exit /b 1
"%s%\sc.exe" config sshd start= auto >nul
if errorlevel 1 goto sshd_fails
:starts_by_itself
rem The state's number and word; its label is in the machine's language.
"%s%\sc.exe" query sshd | "%s%\findstr.exe" /r /c:": 4  *[A-Z]" >nul
if not errorlevel 1 goto sshd_runs
call :note_first_start
if errorlevel 1 exit /b 1
call :note started sshd
if errorlevel 1 exit /b 1
"%s%\net.exe" start sshd >&2
if errorlevel 1 goto sshd_fails
:sshd_runs
call :find_keygen
if errorlevel 1 exit /b 1
set "tries=0"
:wait_for_key
call :host_key
if defined host_key goto have_key
set /a tries+=1
if %tries% geq 30 call :say "sshd runs, but has made no host key in %ssh%; Windows' event log says why" & exit /b 1
"%s%\ping.exe" -n 2 127.0.0.1 >nul
goto wait_for_key
:sshd_fails
call :say "the service sshd could not be started; Windows' event log says why"
exit /b 1
:have_key
if not defined had_sshd call :check_settings & if errorlevel 1 exit /b 1
call :check_host_key
if errorlevel 1 exit /b 1

rem ---- the login -----------------------------------------------------------------------------------------------------

if not defined user_is_here goto make_user
if not defined record_user-%user% call :say "the login %user% was here before: it keeps its password, groups and files"
goto have_user
:make_user
call :note user-%user% made
if errorlevel 1 exit /b 1
if not exist "%users%\%user%" call :note profile-%user% made & if errorlevel 1 exit /b 1
call :random_password
if errorlevel 1 exit /b 1
"%s%\net.exe" user %user% "%password%" /add /active:yes /expires:never /comment:"migration account" /y >nul
set "code=%errorlevel%"
set "password="
if not "%code%"=="0" call :say "the login %user% could not be made (above is why)" & exit /b 1
:have_user
rem Also where an earlier run ended between the two.
call :is_admin
if not errorlevel 1 goto admin_done
"%s%\net.exe" localgroup "%admins%" %user% /add >nul
if errorlevel 1 call :say "%user% could not be made an administrator (above is why)" & exit /b 1
:admin_done

rem ---- its key -------------------------------------------------------------------------------------------------------

if defined record_keys goto keys_known
if not exist "%keys%" call :note keys made & if errorlevel 1 exit /b 1
if not exist "%keys%" goto keys_known
copy /b /y "%keys%" "%keys%.cutover-before" >nul
if errorlevel 1 goto keys_fail
call :note keys found
if errorlevel 1 exit /b 1
:keys_known
call :keys_without_ours
if errorlevel 1 goto keys_fail
>"%scratch%\line" echo from="%CUTOVER_FROM%",no-agent-forwarding,no-X11-forwarding,no-pty %key% %mark%
copy /b /y "%scratch%\keys"+"%scratch%\line" "%scratch%\new" >nul
rem A last line without its end has swallowed ours: it gets one.
"%s%\findstr.exe" /r /c:"%our_line%" "%scratch%\new" >nul
if not errorlevel 1 goto keys_joined
>>"%scratch%\keys" echo.
copy /b /y "%scratch%\keys"+"%scratch%\line" "%scratch%\new" >nul
:keys_joined
copy /b /y "%scratch%\new" "%keys%.cutover-ours" >nul
if errorlevel 1 goto keys_fail
call :same "%keys%" "%scratch%\new"
if not errorlevel 1 goto keys_written
rem Onto the file that is there: its ACL stays.
copy /b /y "%scratch%\new" "%keys%" >nul
if errorlevel 1 goto keys_fail
:keys_written
rem One of ours is for SYSTEM and administrators only, else sshd ignores it.
if not "%record_keys%"=="made" goto keys_done
"%s%\icacls.exe" "%keys%" /inheritance:r /grant "*S-1-5-18:F" /grant "*S-1-5-32-544:F" >nul
if errorlevel 1 call :say "icacls could not close %keys% to others, and so sshd would ignore it" & exit /b 1
:keys_done

rem ---- the firewall --------------------------------------------------------------------------------------------------

if not "%record_rule%"=="%port% %CUTOVER_FROM%" goto new_rule
"%s%\netsh.exe" advfirewall firewall show rule name=%mark% >nul
if not errorlevel 1 goto rule_done
:new_rule
if defined record_rule "%s%\netsh.exe" advfirewall firewall delete rule name=%mark% >nul
call :note rule "%port% %CUTOVER_FROM%"
if errorlevel 1 exit /b 1
"%s%\netsh.exe" advfirewall firewall add rule name=%mark% dir=in action=allow protocol=TCP localport=%port% remoteip=%CUTOVER_FROM% >&2
if errorlevel 1 call :say "the firewall rule could not be added (above is why)" & exit /b 1
:rule_done

rem ---- the line for the inventory ------------------------------------------------------------------------------------

for /f %%h in ('"%s%\hostname.exe"') do set "host=%%h"
set "address=%CUTOVER_ADDRESS%"
rem "Pinging HOST [192.168.1.10] with 32 bytes": the brackets are the same in each language.
if not defined address for /f "tokens=2 delims=[]" %%a in ('""%s%\ping.exe" -4 -n 1 -w 1 %host%"') do if not defined address set "address=%%a"
if defined CUTOVER_HEADER echo host,address,port,user,os,become,host_key
echo %host%,%address%,%port%,%user%,windows,none,%host_key%
exit /b 0

:keys_fail
call :say "%keys% could not be written: see that it is not read-only and that SYSTEM and administrators may write it"
exit /b 1

rem ==== takes it away =================================================================================================

:remove
if not defined have_record call :say "nothing of an earlier run is here" & exit /b 0
if not defined record_rule goto rule_gone
"%s%\netsh.exe" advfirewall firewall delete rule name=%mark% >nul
"%s%\netsh.exe" advfirewall firewall show rule name=%mark% >nul
if not errorlevel 1 call :say "the firewall rule %mark% could not be removed" & exit /b 1
:rule_gone

if not defined record_keys goto keys_gone
if not exist "%keys%" goto keys_tidy
call :keys_without_ours
if errorlevel 1 goto keys_fail
for %%I in ("%scratch%\keys") do set "left=%%~zI"
if "%record_keys%"=="made" if "%left%"=="0" del /q "%keys%"
if not exist "%keys%" goto keys_tidy
call :same "%keys%" "%scratch%\keys"
if not errorlevel 1 goto keys_tidy
copy /b /y "%scratch%\keys" "%keys%" >nul
if errorlevel 1 goto keys_fail
:keys_tidy
del /q "%keys%.cutover-before" "%keys%.cutover-ours" 2>nul
:keys_gone

set "failed="
rem Never empty, since `set` would complain.
set "record_=1"
for /f "tokens=1 delims==" %%n in ('set record_') do call :remove_login %%n
if defined failed exit /b 1

if defined CUTOVER_KEEP_SSHD goto sshd_stays
if defined record_started "%s%\net.exe" stop sshd >nul 2>&1
if "%record_start%"=="0x3" "%s%\sc.exe" config sshd start= demand >nul
if "%record_start%"=="0x4" "%s%\sc.exe" config sshd start= disabled >nul
if not defined record_capability goto capability_gone
"%s%\dism.exe" /online /norestart /remove-capability /capabilityname:%record_capability% >&2
if not "%errorlevel%"=="0" if not "%errorlevel%"=="3010" call :say "dism could not remove %record_capability% (above is why): run this again" & exit /b 1
:capability_gone
if defined record_hostkeys del /q "%ssh%\ssh_host_*_key" "%ssh%\ssh_host_*_key.pub" 2>nul
if not defined record_folder goto sshd_stays
rem What its first start made there; the folder only where nothing else came into it.
del /q "%ssh%\sshd_config" "%ssh%\sshd.pid" 2>nul
rmdir "%ssh%\logs" 2>nul
rmdir "%ssh%" 2>nul
:sshd_stays
"%s%\reg.exe" delete "%record%" /f >nul
if errorlevel 1 call :say "the record %record% could not be removed" & exit /b 1
call :say "what the earlier run made is gone"
exit /b 0

rem ==== pieces ========================================================================================================

:say
>&2 echo windows.cmd: %~1
exit /b 0

:usage
>&2 echo windows.cmd: %~1
>&2 echo windows.cmd --key "PUBLIC_KEY" --from "ADDRESS[,ADDRESS...]" [--user NAME] [--address ADDRESS] [--header]
>&2 echo windows.cmd --remove [--keep-sshd]
exit /b 0

rem read_record: into %have_record% and a variable record_NAME for each value.
:read_record
set "record_=none is left of the environment's"
for /f "tokens=1 delims==" %%n in ('set record_') do set "%%n="
set "have_record="
"%s%\reg.exe" query "%record%" >nul 2>&1
if errorlevel 1 exit /b 0
set "have_record=1"
for /f "tokens=1,2,*" %%a in ('""%s%\reg.exe" query "%record%""') do if "%%b"=="REG_SZ" set "record_%%a=%%c"
exit /b 0

rem note NAME VALUE: into the record, before it is done.
:note
"%s%\reg.exe" add "%record%" /v %1 /t REG_SZ /d "%~2" /f >nul
if errorlevel 1 call :say "the record %record% could not be written" & exit /b 1
set "record_%~1=%~2"
exit /b 0

rem note_first_start: sshd's first start makes its keys, its folder and its settings.
:note_first_start
if not exist "%ssh%\ssh_host_*_key" call :note hostkeys made & if errorlevel 1 exit /b 1
if not exist "%ssh%" call :note folder made & if errorlevel 1 exit /b 1
exit /b 0

rem value_of KEY NAME: into %value%, undefined where it is not there.
:value_of
set "value="
"%s%\reg.exe" query %1 /v %2 >nul 2>&1
if errorlevel 1 exit /b 0
for /f "tokens=2,*" %%a in ('""%s%\reg.exe" query %1 /v %2"') do set "value=%%b"
exit /b 0

:user_exists
"%s%\net.exe" user %user% >nul 2>&1
if errorlevel 1 exit /b 1
exit /b 0

rem 0 where the login is in the group of administrators, else 1.
:is_admin
"%s%\net.exe" localgroup "%admins%" | "%s%\findstr.exe" /i /x /c:"%user%" >nul
if errorlevel 1 exit /b 1
exit /b 0

rem same FILE FILE: 0 where both are there and have the same bytes.
:same
if not exist %1 exit /b 1
if not exist %2 exit /b 1
"%s%\fc.exe" /b %1 %2 >nul 2>&1
if errorlevel 1 exit /b 1
exit /b 0

rem keys_without_ours: the file of keys as it would be without us, into %scratch%\keys. As it was before us where nobody has
rem edited it since, else without our line.
:keys_without_ours
type nul >"%scratch%\keys"
if not exist "%keys%" exit /b 0
call :same "%keys%" "%keys%.cutover-ours"
if errorlevel 1 goto keys_edited
if "%record_keys%"=="made" exit /b 0
if not exist "%keys%.cutover-before" goto keys_edited
copy /b /y "%keys%.cutover-before" "%scratch%\keys" >nul
exit /b %errorlevel%
:keys_edited
rem Without end anchor: to findstr a line that ends with LF alone has none.
"%s%\findstr.exe" /r /c:"%our_line%" "%keys%" >nul
if errorlevel 1 goto keys_not_ours
"%s%\findstr.exe" /v /r /c:"%our_line%" "%keys%" >"%scratch%\keys"
rem 1: no line is left.
if errorlevel 2 exit /b 1
exit /b 0
:keys_not_ours
copy /b /y "%keys%" "%scratch%\keys" >nul
exit /b %errorlevel%

rem What in sshd's settings would keep the login out. They are the host's: they are not edited here.
:check_settings
set "config=%ssh%\sshd_config"
if not exist "%config%" exit /b 0
call :lists DenyUsers "%CUTOVER_USER%"
if not errorlevel 1 call :say "sshd keeps %CUTOVER_USER% out (DenyUsers in sshd_config): take it out there, or use another --user" & exit /b 3
call :lists DenyGroups administrators
if not errorlevel 1 call :say "sshd keeps administrators out (DenyGroups in sshd_config), and the login must be one" & exit /b 3
call :lists AllowUsers ""
if errorlevel 1 goto allowed_users
call :lists AllowUsers "%CUTOVER_USER%"
if errorlevel 1 call :say "sshd lets in only the logins of AllowUsers in sshd_config: add %CUTOVER_USER% there" & exit /b 3
:allowed_users
call :lists AllowGroups ""
if errorlevel 1 goto allowed_groups
call :lists AllowGroups administrators
if errorlevel 1 call :say "sshd lets in only the groups of AllowGroups in sshd_config: add administrators there" & exit /b 3
:allowed_groups
"%s%\findstr.exe" /i /r /c:"^[ 	]*PubkeyAuthentication[ 	=]*no" "%config%" >nul
if not errorlevel 1 call :say "sshd takes no keys here (PubkeyAuthentication no in sshd_config)" & exit /b 3
"%s%\findstr.exe" /i /r /c:"^[ 	]*AuthorizedKeysFile.*[/\\]administrators_authorized_keys" "%config%" >nul
if not errorlevel 1 exit /b 0
call :say "sshd_config has not its usual part Match Group administrators, so sshd would not look into administrators_authorized_keys: put it back, or make this host ready by hand"
exit /b 3

rem lists KEYWORD WORD: 0 where such a line of the settings has the word, or, for "", is there.
:lists
if "%~2"=="" (
	"%s%\findstr.exe" /i /r /c:"^[ 	]*%1[ 	]" "%config%" >nul
) else (
	"%s%\findstr.exe" /i /r /c:"^[ 	]*%1[ 	].*[ 	\\]%~2[ 	]" /c:"^[ 	]*%1[ 	].*[ 	\\]%~2$" /c:"^[ 	]*%1[ 	]%~2[ 	]" /c:"^[ 	]*%1[ 	]%~2$" "%config%" >nul
)
if errorlevel 1 exit /b 1
exit /b 0

rem find_keygen: beside sshd, else Windows' own.
:find_keygen
call :value_of "%service%" ImagePath
rem Once more, since the value may hold %SystemRoot%; in quotes or not.
if defined value set "value=%value:"=%"
call set "value=%value%"
for %%K in ("%value%") do set "tools=%%~dpK"
if not exist "%tools%ssh-keygen.exe" set "tools=%s%\OpenSSH\"
if exist "%tools%ssh-keygen.exe" exit /b 0
call :say "there is no ssh-keygen.exe beside sshd: add Windows' capability OpenSSH.Client and run this again"
exit /b 1

rem host_key: "TYPE SHA256:..." of the first that sshd has, in this order, and %kind%.
:host_key
set "host_key="
for %%t in (ed25519 ecdsa rsa) do if not defined host_key if exist "%ssh%\ssh_host_%%t_key.pub" call :print_of %%t
exit /b 0
:print_of
set "kind=%1"
for /f "usebackq tokens=1" %%a in ("%ssh%\ssh_host_%1_key.pub") do set "type=%%a"
for /f "tokens=2" %%a in ('""%tools%ssh-keygen.exe" -l -E sha256 -f "%ssh%\ssh_host_%1_key.pub""') do set "host_key=%type% %%a"
exit /b 0

rem check_host_key: sshd that runs shows the key that was read from the file: an old one that was not started anew would not.
rem Sets %port%, the first that is not a comment, else 22. Windows' ssh-keyscan does not understand each sshd: that it shows
rem nothing is said and no fault.
:check_host_key
set "port="
for /f "tokens=2" %%a in ('""%s%\findstr.exe" /i /r /c:"^[ 	]*Port[ 	]" "%ssh%\sshd_config""') do if not defined port set "port=%%a"
if not defined port set "port=22"
set "shown="
if exist "%tools%ssh-keyscan.exe" "%tools%ssh-keyscan.exe" -T 10 -p %port% -t %kind% 127.0.0.1 >"%scratch%\shown" 2>nul
for %%I in ("%scratch%\shown") do if "%%~zI"=="0" del /q "%scratch%\shown"
if exist "%scratch%\shown" for /f "tokens=2" %%a in ('""%tools%ssh-keygen.exe" -l -E sha256 -f "%scratch%\shown""') do set "shown=%%a"
if not defined shown call :say "sshd was not asked for its host key (ssh-keyscan showed none): the line has the one of its files" & exit /b 0
for /f "tokens=2" %%a in ("%host_key%") do if "%%a"=="%shown%" exit /b 0
call :say "sshd at port %port% shows another host key (%shown%) than is in its files (%host_key%): restart the service sshd, then run this again"
exit /b 1

rem Windows has no program that prints random bytes; ssh-keygen makes a key of 32 of them, which are in the fifth line of its
rem file.
:random_password
set "password="
"%tools%ssh-keygen.exe" -q -t ed25519 -N "" -C x -f "%scratch%\random" >nul
if exist "%scratch%\random" for /f "usebackq skip=4 delims=" %%p in ("%scratch%\random") do if not defined password set "password=%%p"
del /q "%scratch%\random" "%scratch%\random.pub" 2>nul
if not defined password call :say "no random password could be made: ssh-keygen failed" & exit /b 1
rem Of each kind of character that a policy may ask for.
set "password=%password:~0,60%aA1+"
exit /b 0

rem remove_login record_user-NAME: with its processes and its profile, which Windows makes at the first login and net.exe leaves.
:remove_login
set "name=%~1"
if not "%name:~0,12%"=="record_user-" exit /b 0
set "user=%name:~12%"
call :user_exists
if errorlevel 1 goto login_gone
"%s%\taskkill.exe" /f /fi "USERNAME eq %COMPUTERNAME%\%user%" >nul 2>&1
"%s%\net.exe" user %user% /delete >nul
if errorlevel 1 call :say "the login %user% could not be removed (above is why)" & set "failed=1" & exit /b 1
:login_gone
if not defined record_profile-%user% exit /b 0
for /f "delims=" %%k in ('""%s%\reg.exe" query "%profiles%""') do call :remove_profile "%%k"
if exist "%users%\%user%" rmdir /s /q "%users%\%user%" 2>nul
if not exist "%users%\%user%" exit /b 0
call :say "the folder %users%\%user% could not be removed; restart Windows and run this again"
set "failed=1"
exit /b 1

rem remove_profile KEY: where it is that of the login.
:remove_profile
call :value_of %1 ProfileImagePath
if /i not "%value%"=="%users%\%user%" if /i not "%value%"=="%%SystemDrive%%\Users\%user%" exit /b 0
"%s%\reg.exe" delete %1 /f >nul
exit /b 0
