#!/bin/sh
# Another machine answers at this address: its host name is not the one that hosts.txt gives.
set -eu

echo print-server >/etc/hostname
hostname print-server
