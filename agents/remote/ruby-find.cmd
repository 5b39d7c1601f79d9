@echo off
rem ruby-find.cmd
rem
rem Is Ruby there? Prints lines: `path` of the one that PATH finds first, else of the last one in the usual places of
rem RubyInstaller, then what `ruby -v` says, which begins with `ruby`, and at the end `end`; or `end` alone.
setlocal EnableExtensions DisableDelayedExpansion
set "RUBYOPT="
set "RUBYLIB="
set "found="
for %%r in (ruby.exe) do if not "%%~$PATH:r"=="" set "found=%%~$PATH:r"
if not defined found for /d %%d in ("%SystemDrive%\Ruby*") do if exist "%%~d\bin\ruby.exe" set "found=%%~d\bin\ruby.exe"
if not defined found (
	echo end
	exit /b 0
)
for %%r in ("%found%") do echo path %%~r
"%found%" -v <nul
echo end
exit /b 0
