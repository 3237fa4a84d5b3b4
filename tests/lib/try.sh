#!/bin/sh
# make run: serves on 127.0.0.1:2525 from the build directory $1, and says how to try it.
set -eu
build=$1
port=${SINKHOLE_BIND_PORT:-2525}

cat >&2 <<END

  Sinkhole will listen on 127.0.0.1:$port. In another terminal:

    swaks --server 127.0.0.1:$port --to nobody@sinkhole.test    # 421: deferred
    $build/sinkholectl mode set accept                          # defer, bounce, accept, accept-log, greylist
    swaks --server 127.0.0.1:$port --to nobody@sinkhole.test    # 250: delivered
    $build/sinkholectl status

  The log follows, one JSON line for each event. Ctrl-C stops it.

END
SINKHOLE_BIND_HOST=127.0.0.1 SINKHOLE_BIND_PORT=$port exec "$build/sinkholed"
