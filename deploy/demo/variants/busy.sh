#!/bin/sh
# A client that runs all day: its process has the client's folder as working directory and its script as argument.
# End it with: fleet.sh exec DIR N pkill -u sync ruby
set -eu

cd "$FOLDER"
setsid runuser -u sync -- /usr/bin/ruby imhs-ws-client.rb --every 3600 </dev/null >/dev/null 2>&1 &
