#!/bin/sh
# check.sh: builds and tests one variant, as ci.yml does
#
# usage: check.sh gcc|clang|asan|arm64|fuzz
#
# gcc runs everything there is; the others run what depends on the compiler or
# the machine; fuzz gives each fuzzer half a minute. DRY=1 only prints the
# command.
set -eu

cd "$(dirname "$0")/../.."

case ${1-} in
    gcc) set -- check CC=gcc ;;
    clang) set -- quick CC=clang ;;
    asan) set -- asan ;;
    arm64) set -- quick CC=gcc ;;
    fuzz) set -- fuzz FUZZ_SECONDS=30 ;;
    *)
        echo "check: '${1-}' is no variant; gcc, clang, asan, arm64 and fuzz are" >&2
        exit 100
        ;;
esac
[ -z "${DRY:-}" ] || set -- -n "$@"

# DEPS_FOR: not every goal has packages of its own.
exec make -j2 DEPS_FOR='check fuzz' CONFIGURE_FLAGS=--enable-werror deps "$@"
