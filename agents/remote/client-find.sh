# client-find.sh PATH
#
# Looks for the folder of the sync client, a folder that holds imhs-config.rb. PATH is that folder (or the file in it),
# or "" for a search in the usual places: a few levels deep, not across file systems, for a minute at most.
#
# Prints frames (agents/frames.h). For each folder, maybe more than once: `folder` as it was found, `real` with links
# resolved, `script` the client's program in it ("" where there is none), `owner` of that program, else of
# imhs-config.rb. Then `complete`: yes, or no where the search was cut short.
LC_ALL=C
export LC_ALL

config=imhs-config.rb

# Folders are handed over as arguments, since their names may hold newlines: a script for `sh -c`.
# shellcheck disable=SC2016
report='
frame() {
	printf "%s %d\n%s\n" "$1" "${#2}" "$2"
}
for folder do
	[ -d "$folder" ] || folder=${folder%/*}
	[ -f "$folder/imhs-config.rb" ] || continue
	real=$(cd -P -- "$folder" 2>/dev/null && printf "%s." "$PWD") || continue
	real=${real%.} script=
	for program in imhs-ws-client.rb imhs-ws-clinet.rb; do
		if [ -f "$real/$program" ]; then
			script=$program
			break
		fi
	done
	frame folder "$folder"
	frame real "$real"
	frame script "$script"
	frame owner "$(stat -L -c %U -- "$real/${script:-imhs-config.rb}" 2>/dev/null)"
done'

limit=
complete=yes
if [ -n "$1" ]; then
	path=${1%/}
	sh -c "$report" sh "${path:-/}"
else
	command -v timeout >/dev/null 2>&1 && limit='timeout 60'
	# -xdev: a dead network file system or an automounter must not hold the search
	$limit find / -maxdepth 2 -xdev \( -name $config ! -type d -o -type l -name 'imhs-ws-cli[en][en]t' \) \
		-exec sh -c "$report" sh {} + 2>/dev/null
	[ $? -eq 124 ] && complete=no
	$limit find /opt /usr/local /srv /home /var /root /etc -maxdepth 5 -xdev \
		\( -path /var/lib/docker -o -path /var/lib/containers -o -path /var/lib/dpkg -o -path /var/lib/apt \
		-o -path /var/cache -o -path /var/log -o -path /var/spool \) -prune -o \
		\( -name $config ! -type d -o -type l -name 'imhs-ws-cli[en][en]t' \) \
		-exec sh -c "$report" sh {} + 2>/dev/null
	[ $? -eq 124 ] && complete=no
fi
printf 'complete %d\n%s\nend 0\n\n' "${#complete}" "$complete"
