# ruby-find.sh
#
# Is Ruby there? Prints frames (agents/frames.h): `ruby` its path and `version`, or neither.
LC_ALL=C
export LC_ALL
unset RUBYOPT RUBYLIB
PATH=$PATH:/usr/local/bin:/usr/bin:/bin
export PATH

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

if ruby=$(command -v ruby 2>/dev/null) && version=$("$ruby" -v 2>/dev/null); then
	frame ruby "$ruby"
	frame version "$version"
fi
printf 'end 0\n\n'
