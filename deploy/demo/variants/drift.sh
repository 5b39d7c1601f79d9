#!/bin/sh
# ROOT_URI is neither the vendor's old address nor the new one: this customer goes through a proxy of its own.
set -eu

sed -i "s#^ROOT_URI = .*#ROOT_URI = 'https://hes-proxy.$DOMAIN:8443/imhs/v1.0/en'#" "$FOLDER/imhs-config.rb"
