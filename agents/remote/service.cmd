@echo off
rem service.cmd VERB NAME [SIZE]
rem
rem What the service manager says of a service: sc.exe with these arguments. Its output goes through as it is, in the
rem machine's language; its exit code, the Win32 error, is the script's, since it is the last command. By its full path:
rem PATH may put another sc first.
rem
rem Nothing comes behind it: a variable of the name ERRORLEVEL, which somebody may have set, would hide the code.
setlocal EnableExtensions DisableDelayedExpansion
"%SystemRoot%\System32\sc.exe" %1 %2 %3
