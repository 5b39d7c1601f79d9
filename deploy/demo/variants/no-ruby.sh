#!/bin/sh
# There is no Ruby (any more): neither `ruby -c` nor the client itself can run.
set -eu

rm -f /usr/bin/ruby /usr/bin/ruby[0-9]* /usr/local/bin/ruby*
