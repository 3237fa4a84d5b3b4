# The queue-persistence drill: real sendmail, the sinkhole, a task that is killed.

PKG_drill := $(PKG_smtp-out-image) strace iproute2 util-linux

CHECK_SUITES += tests/drill/test_maps.py
