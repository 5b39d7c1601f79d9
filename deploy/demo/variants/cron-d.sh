#!/bin/sh
# The schedule is a file of /etc/cron.d and not the user's crontab.
set -eu

crontab -r -u sync
cat >/etc/cron.d/imhs-sync <<-X
	# directory sync of $DOMAIN
	MAILTO=""
	23 3 * * *	sync	cd $FOLDER && /usr/bin/ruby imhs-ws-client.rb
X
