#!/bin/sh
# Installs one file, with its path, below the directory $2; executable if it is here.
set -eu
mode=644
[ ! -x "$1" ] || mode=755
mkdir -p "$(dirname "$2/$1")"
install -m "$mode" "$1" "$2/$1"
