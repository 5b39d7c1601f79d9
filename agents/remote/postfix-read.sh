# postfix-read.sh [CONFIG_DIRECTORY]
#
# Postfix as it is on this host, for agents/postfix_relay.c: one instance where CONFIG_DIRECTORY is given, else all of them
# (postmulti -l), eight at most. Prints frames (agents/frames.h); for each instance:
#
#	instance	its configuration folder
#	running		yes, no; unknown where we may not look
#	pid		of its master, where it runs
#	queue		how many mails wait, by queue: "incoming 0 active 1 deferred 7 hold 0"; "unknown"
#	parameters	what `postconf -x` prints of those below, a line each
#	overrides	what `postconf -P` prints, a line each
#
# and `more` where there are more instances, `none` where there is no Postfix. What stands in braces, and behind static:, may be
# a password and is printed as (hidden). Changes nothing.
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
export PATH

frame() {
	printf '%s %d\n%s\n' "$1" "${#2}" "$2"
}

hide() {
	sed 's/static:[^{,[:space:]][^,[:space:]]*/static:(hidden)/g' | awk '{
		out = ""; depth = 0
		for (i = 1; i <= length($0); i++) {
			c = substr($0, i, 1)
			if (c == "{" && substr($0, i - 1, 1) != "$" && depth++ == 0) out = out "{(hidden)"
			if (c == "}" && depth > 0 && --depth == 0) { out = out "}"; continue }
			if (depth == 0) out = out c
		}
		print out
	}'
}

parameters() {
	set -- "$1" relayhost default_transport relay_transport smtp_fallback_relay fallback_relay content_filter transport_maps \
		fallback_transport_maps mailbox_transport_maps \
		sender_dependent_relayhost_maps sender_dependent_default_transport_maps smtp_sasl_password_maps lmtp_sasl_password_maps \
		smtp_tls_policy_maps smtp_tls_per_site lmtp_tls_policy_maps mail_version
	dir=$1
	shift
	postconf -c "$dir" -x "$@" 2>/dev/null || postconf -c "$dir" "$@" 2>/dev/null
}

count() {
	find "$1" -type f 2>/dev/null | wc -l | tr -d ' '
}

queue() {
	if [ -r "$1/deferred" ] && [ -x "$1/deferred" ]; then
		printf 'incoming %s active %s deferred %s hold %s' "$(count "$1/incoming")" "$(count "$1/active")" \
			"$(count "$1/deferred")" "$(count "$1/hold")"
	else
		printf unknown
	fi
}

# master -t ends with 0 where nobody holds the lock of master.pid.
running() {
	master=$(postconf -c "$1" -h daemon_directory 2>/dev/null)/master
	if [ "$(id -u)" != 0 ] || [ ! -x "$master" ]; then
		printf unknown
	elif MAIL_CONFIG=$1 "$master" -t 2>/dev/null; then
		printf no
	else
		printf yes
	fi
}

instance() {
	frame instance "$1"
	spool=$(postconf -c "$1" -h queue_directory 2>/dev/null)
	state=$(running "$1")
	frame running "$state"
	[ "$state" != yes ] || frame pid "$(tr -cd '0-9' <"$spool/pid/master.pid" 2>/dev/null)"
	frame queue "$(queue "$spool")"
	frame parameters "$(parameters "$1" | hide)"
	frame overrides "$(postconf -c "$1" -P 2>/dev/null | hide)"
}

if ! command -v postconf >/dev/null 2>&1; then
	frame none ''
elif [ -n "$1" ]; then
	instance "${1%/}"
else
	dirs=$(postmulti -l 2>/dev/null | awk '{ print $NF }')
	[ -n "$dirs" ] || dirs=$(postconf -h config_directory)
	n=0
	for dir in $dirs; do
		n=$((n + 1))
		if [ "$n" -gt 8 ]; then
			frame more "$dir"
			break
		fi
		instance "$dir"
	done
fi
printf 'end 0\n\n'
