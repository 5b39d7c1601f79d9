#!/bin/sh
# The settings were last edited on Windows: each line ends with CR LF.
set -eu

sed -i 's/$/\r/' "$FOLDER/imhs-config.rb"
