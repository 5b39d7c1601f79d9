# ruby-syntax.sh
#
# Checks the syntax of the Ruby source on stdin; nothing of it is run, and it is not put into a file.
#
# Prints frames (agents/frames.h): `syntax` ok, or bad with `line` where Ruby names one, or none where there is no Ruby.
# Ruby's own words are not passed on: they quote the source, and there may be a password in it.
LC_ALL=C
export LC_ALL
unset RUBYOPT RUBYLIB
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
export PATH

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

if ! command -v ruby >/dev/null 2>&1; then
	frame syntax none
elif words=$(ruby -c - 2>&1 >/dev/null); then
	frame syntax ok
else
	frame syntax bad
	frame line "$(printf '%s\n' "$words" | sed -n 's/^-:\([0-9][0-9]*\):.*/\1/p' | sed 1q)"
fi
printf 'end 0\n\n'
