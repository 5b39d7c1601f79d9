#!/bin/sh
# The list of users has a bad line: the client says which, and exits 1.
set -eu

echo 'Ito Hana,ito at'" $DOMAIN" >>"$FOLDER/users.csv"
