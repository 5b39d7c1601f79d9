@echo off
rem task.cmd list
rem task.cmd show|disable|enable PATH
rem
rem A task of the Task Scheduler, looked at, or switched and then looked at; or all of them. Prints the definition as XML;
rem in front of it what schtasks.exe says of the change, in the machine's language; at the end a line `end`. A task is
rem only disabled: its account and its password are not touched. Exit: schtasks.exe's own, of the first that failed;
rem that of a program that crashed is negative, and not one of `if errorlevel 1`.
setlocal EnableExtensions DisableDelayedExpansion
set "schtasks=%SystemRoot%\System32\schtasks.exe"
if "%~1"=="list" goto list
if "%~1"=="show" goto show
"%schtasks%" /change /tn %2 /%~1
if errorlevel 1 goto :eof
if not errorlevel 0 goto :eof
:show
"%schtasks%" /query /tn %2 /xml
if errorlevel 1 goto :eof
if not errorlevel 0 goto :eof
goto done
:list
"%schtasks%" /query /xml
if errorlevel 1 goto :eof
if not errorlevel 0 goto :eof
:done
echo.
echo end
exit /b 0
