#!/bin/sh
# Installs the Debian packages named in $1 (a list), and unpacks those in $2, which must not be
# installed, under $BUILD/parts/. Does nothing for what is there already. DRY=1 only says.
set -eu
: "${BUILD:=build}"

command -v apt-get >/dev/null || {
    echo "deps: only Debian's packages are known; install the likes of: $1 $2" >&2
    exit 1
}
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo

missing=
for package in $1; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' ||
        missing="$missing $package"
done
parts=
for part in $2; do
    [ -d "$BUILD/parts/$part" ] || parts="$parts $part"
done
[ -n "$missing$parts" ] || exit 0

echo "deps: to install:${missing:- nothing}; to unpack under $BUILD/parts:${parts:- nothing}"
[ -z "${DRY:-}" ] || exit 0
[ -z "$sudo" ] || command -v sudo >/dev/null || {
    echo "deps: be root for that, or install sudo" >&2
    exit 1
}
$sudo apt-get update -q >/dev/null
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086 # a list of names
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        $missing >/dev/null
fi
for part in $parts; do
    mkdir -p "$BUILD/parts/.fetch"
    (cd "$BUILD/parts/.fetch" && apt-get download -q "$part" >/dev/null)
    dpkg -x "$BUILD/parts/.fetch/${part}"_*.deb "$BUILD/parts/$part.new"
    mv "$BUILD/parts/$part.new" "$BUILD/parts/$part"
    rm -rf "$BUILD/parts/.fetch"
done
