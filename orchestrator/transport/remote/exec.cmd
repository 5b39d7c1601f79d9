@echo off
rem exec.cmd NONCE NUMBER: runs the line in xNUMBER.txt in a cmd.exe of its own, its stdin from nul; its stdout and stderr
rem are the channel's.
rem
rem What a loop's variable stands for is not parsed, so that the line arrives as it was written, whatever is in it. Marks
rem are on lines of their own, as for exec.sh: both ends are marked, so that all output is known to have come without
rem waiting for the channel's end. (Wine takes no redirection behind a block: each line has its own.)
echo.
echo @%1 %2 begin
>&2 echo.
>&2 echo @%1 %2 start
for /f "usebackq delims=" %%Z in ("%~dp0x%2.txt") do cmd.exe /d /q /e:on /v:off /s /c "%%Z"
set "code=%errorlevel%"
del /f /q "%~dp0x%2.txt"
>&2 echo.
>&2 echo @%1 %2 exit %code%
echo.
echo @%1 %2 out
