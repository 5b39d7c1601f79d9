@echo off
rem tasks.cmd FILTER
rem
rem The processes for which FILTER ("PID eq 4711", "IMAGENAME eq ruby.exe") holds: tasklist.exe's lines "NAME","PID",...
rem A sentence in the machine's language where there is none. Exit: tasklist's own.
setlocal EnableExtensions DisableDelayedExpansion
"%SystemRoot%\System32\tasklist.exe" /fi %1 /fo csv /nh
