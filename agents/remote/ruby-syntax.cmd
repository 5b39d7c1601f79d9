@echo off
rem ruby-syntax.cmd RUBY FILE
rem
rem Checks the syntax of a Ruby file; nothing of it is run. By its path and not by stdin, where Ruby would take the code
rem page of the machine for that of the text. Ruby's words are not passed on: they quote the source, and there may be a
rem password in it. Exit: Ruby's own, 0 for good and 1 for bad.
setlocal EnableExtensions DisableDelayedExpansion
set "RUBYOPT="
set "RUBYLIB="
%1 -c %2 >nul 2>nul <nul
