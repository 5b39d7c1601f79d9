@echo off
rem client-find.cmd [PATH]
rem
rem Looks for the folder of the sync client in Ruby, a folder that holds imhs-config.rb. PATH is that folder; without it
rem the drives C: to Y: are searched, three folders deep, but for Windows' own folder (Z: is mostly somebody's network)
rem and the two links that show a folder a second time.
rem
rem Prints a line `file PATH` for each imhs-config.rb, and right behind it one for each of the client's programs that are
rem in the same folder; at the end `end`. A name reaches echo out of a variable of `for` only: an argument or a variable in
rem percent signs is read again there, and `&` in a name would begin a command. Folders are listed by dir, since Wine's
rem `for /d` finds nothing where the pattern is in quotes or in another `for`; and blocks are used, since it takes what is
rem behind a `&` out of the loop.
setlocal EnableExtensions DisableDelayedExpansion
set "files=imhs-config.rb imhs-ws-client.rb imhs-ws-clinet.rb"
if "%~1"=="" goto search
for %%p in ("%~1") do for %%f in (%files%) do if exist "%%~p\%%f" echo file %%~p\%%f
goto done
:search
for %%r in (C D E F G H I J K L M N O P Q R S T U V W X Y) do (
	set "one=%%r:"
	call :first
)
:done
echo end
exit /b 0

:first
for /f "delims=" %%a in ('dir /b /ad "%one%\*" 2^>nul') do (
	set "two=%one%\%%a"
	call :second
)
exit /b 0

:second
if /i "%two%"=="%SystemDrive%\Documents and Settings" exit /b 0
for %%f in (%files%) do if exist "%two%\%%f" for %%a in ("%two%") do echo file %%~a\%%f
if /i "%two%"=="%SystemRoot%" exit /b 0
for /f "delims=" %%b in ('dir /b /ad "%two%\*" 2^>nul') do (
	set "three=%two%\%%b"
	call :third
if /i "%three%"=="%SystemDrive%\Users\All Users" exit /b 0
)
exit /b 0

:third
for %%f in (%files%) do if exist "%three%\%%f" for %%b in ("%three%") do echo file %%~b\%%f
for /f "delims=" %%c in ('dir /b /ad "%three%\*" 2^>nul') do for %%f in (%files%) do if exist "%three%\%%c\%%f" for %%t in ("%three%\%%c") do echo file %%~t\%%f
exit /b 0
