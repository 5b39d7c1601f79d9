@echo off
rem replace.cmd FILE NEW READONLY: copies NEW onto the existing FILE, so that its ACL, owner and creation time stay.
rem
rem READONLY is "r" where FILE has the read-only attribute: it is taken off for the copy and put back, whatever happens.
rem Exit codes: 0 copied, 3 one of the names does not mean a file to cmd.exe, else the copy has failed.
if not exist "%~1" exit /b 3
if not exist "%~2" exit /b 3
if "%~3"=="r" attrib -r "%~1"
copy /b /y "%~2" "%~1"
set "code=%errorlevel%"
if "%~3"=="r" attrib +r "%~1"
exit /b %code%
