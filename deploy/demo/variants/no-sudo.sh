#!/bin/sh
# The login user may not use sudo.
set -eu

rm /etc/sudoers.d/cutover
