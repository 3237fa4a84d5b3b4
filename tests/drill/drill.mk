# The queue-persistence drill: real sendmail, the sinkhole, a task that is killed.

PKG_smtp-out-image := podman runc conmon netavark iptables mmdebstrap gcc libc6-dev
PKG_drill := $(PKG_all) $(PKG_smtp-out-image) strace iproute2 util-linux

.PHONY: smtp-out-image
smtp-out-image:
	CC="$(CC)" container/smtp-out/build $(BUILD)/image

CHECK_SUITES += tests/drill/test_maps.py tests/drill/test_route.py
