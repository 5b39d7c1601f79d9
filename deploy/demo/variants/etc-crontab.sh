#!/bin/sh
# The schedule is a line of /etc/crontab, between those of the system.
set -eu

crontab -r -u sync
cat >>/etc/crontab <<-X
	23 3	* * *	sync	cd $FOLDER && /usr/bin/ruby imhs-ws-client.rb
	47 6	* * 7	root	cd / && run-parts --report /etc/cron.weekly
X
