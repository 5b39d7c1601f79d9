#!/bin/sh
# The folder is spelt as one would think, and not as the vendor's guide spells it. Name this variant first.
set -eu

mv "$FOLDER" /opt/imhs-ws-client
crontab -u sync -l | sed "s#$FOLDER#/opt/imhs-ws-client#" | crontab -u sync -
