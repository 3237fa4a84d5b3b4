# The queue-persistence drill: real sendmail, the sinkhole from its image, a task that is killed.
#
#   make drill             the short one: every suite of tests/drill, and the verdict
#   make smtp-out-image    localhost/smtp-out:dev, offline, from Debian's packages

PKG_smtp-out-image := podman runc conmon netavark iptables mmdebstrap gcc libc6-dev
PKG_drill := $(PKG_all) $(PKG_image) $(PKG_smtp-out-image) python3 strace iproute2 util-linux procps

.PHONY: smtp-out-image drill
smtp-out-image:
	CC="$(CC)" container/smtp-out/build $(BUILD)/image
drill: all
	@tests/run BUILD=$(TOP)/$(BUILD) $(DRILL_SUITES)
	@echo 'the picture of 500 messages: $(BUILD)/drill/timeline.svg'

DRILL_SUITES := $(sort $(wildcard tests/drill/test_*.py))
CHECK_SUITES += $(DRILL_SUITES)
