@echo off
rem ruby-running.cmd
rem
rem The processes of Ruby, in windows and without: tasklist.exe's lines "NAME","PID",... and at the end `end`. It does not
rem say what they run, so whose they are cannot be told. Exit: tasklist's own, of the first that failed; that of a
rem program that crashed is negative, and not one of `if errorlevel 1`.
setlocal EnableExtensions DisableDelayedExpansion
"%SystemRoot%\System32\tasklist.exe" /fi "IMAGENAME eq ruby.exe" /fo csv /nh
if errorlevel 1 goto :eof
if not errorlevel 0 goto :eof
"%SystemRoot%\System32\tasklist.exe" /fi "IMAGENAME eq rubyw.exe" /fo csv /nh
if errorlevel 1 goto :eof
if not errorlevel 0 goto :eof
echo end
exit /b 0
