#!/bin/sh
# What ruby.exe of a Windows host starts on the Linux side: ruby.sh PID ARGUMENT... Paths of Windows among the arguments
base=/C:/windows/temp/ruby-$1
shift

# Each argument once around: taken from the front, put at the end.
for word; do
	shift
	case $word in
	[A-Za-z]:[\\/]*) word=/C:$(printf %s "${word#?:}" | tr '\134' /) ;;
	*\\*.rb) word=$(printf %s "$word" | tr '\134' /) ;;
	esac
	set -- "$@" "$word"
done

with_crlf() {
	sed 's/$/\r/' "$base.$1.linux" >"$base.$1"
	rm -f "$base.$1.linux"
}

/usr/bin/ruby "$@" >"$base.out.linux" 2>"$base.err.linux" </dev/null &
ruby=$!
# ruby.exe writes `alive` five times a second; a busy machine may miss some of them.
(
	while sleep 5; do
		[ -n "$(find "$base.alive" -newermt '-5 seconds' 2>/dev/null)" ] || kill -9 "$ruby"
	done
) &
watch=$!
wait "$ruby"
code=$?
kill "$watch"
with_crlf out
with_crlf err
printf '%d.' "$code" >"$base.code"
