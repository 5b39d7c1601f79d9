# client-run.sh FOLDER USER SECONDS COMMAND
#
# Runs COMMAND with /bin/sh in FOLDER, as USER, with an environment like cron's, for SECONDS at most (where timeout(1)
# is there; the caller has a limit of its own). What it prints goes through.
#
# Exit: the command's own code; 124 when the time was up; 120 when it could not be started as USER; 121 no such folder.
LC_ALL=C
export LC_ALL

umask 022

folder=$1 user=$2 seconds=$3 command=$4

# Cron's is small, and Ruby takes its encoding from LANG: as the machine's own jobs have it.
language() {
	for file in /etc/default/locale /etc/locale.conf; do
		[ -r "$file" ] && sed -n 's/^LANG=//p' "$file" | tr -d "\"'" | sed 1q
	done | sed 1q
}

home_of() {
	if command -v getent >/dev/null 2>&1; then
		getent passwd "$1"
	else
		grep "^$1:" /etc/passwd
	fi | cut -d : -f 6
}

cd -- "$folder" || exit 121
lang=$(language)
home=$(home_of "$user")
limit=
command -v timeout >/dev/null 2>&1 && limit="timeout -k 10 $seconds"
set -- env -i HOME="${home:-/}" USER="$user" LOGNAME="$user" SHELL=/bin/sh PATH=/usr/local/bin:/usr/bin:/bin \
	${lang:+"LANG=$lang"}
# shellcheck disable=SC2086
set -- "$@" $limit /bin/sh -c "$command"
if [ "$(id -un)" = "$user" ]; then
	exec "$@" </dev/null
elif ! id -u -- "$user" >/dev/null 2>&1; then
	echo "there is no user $user on this host" >&2
	exit 120
elif [ "$(id -u)" -ne 0 ]; then
	echo "the login may not run programs as $user: let it become root (become: sudo), or name another user (run_as)" >&2
	exit 120
elif command -v runuser >/dev/null 2>&1; then
	exec runuser -u "$user" -- "$@" </dev/null
else
	# su joins its arguments to one line for a shell: the pieces reach it as arguments of that shell instead
	# shellcheck disable=SC2016
	exec su -s /bin/sh -c 'exec "$0" "$@"' -- "$user" "$@" </dev/null
fi
