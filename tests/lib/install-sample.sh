#!/bin/sh
# Installs one sample, with its path, below the directory $2; executable if it is here. It names the
# programs where they are installed, in $3.
set -eu
mode=644
[ ! -x "$1" ] || mode=755
mkdir -p "$(dirname "$2/$1")"
sed "s|/usr/local/sbin|$3|g" "$1" >"$2/$1"
chmod "$mode" "$2/$1"
