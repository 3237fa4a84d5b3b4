# At home under systemd, xinetd and s6: tests with each of them, none of which has to run here.

PKG_supervise-check := s6 execline ucspi-tcp libwrap0 libtirpc3 util-linux systemd podman runc \
	conmon netavark iptables mmdebstrap
PART_supervise-check := xinetd
PKG_check += $(PKG_supervise-check)
PART_check += $(PART_supervise-check)

.PHONY: supervise-check startup-cost
SUPERVISE_SUITES := $(sort $(wildcard tests/supervise/test_*.py))
CHECK_SUITES += $(SUPERVISE_SUITES)

supervise-check: build-plain
	@tests/run BUILD=$(TOP)/$(BUILD) $(SUPERVISE_SUITES)

# What a one-shot session costs beside a program that does nothing.
startup-cost: all
	@BUILD=$(TOP)/$(BUILD) tests/supervise/startup_cost.py

# The machine on which docs/dev-box.md is followed word by word.
MACHINE_PACKAGES := $(PKG_run) git sudo systemd systemd-sysv dbus procps swaks xinetd s6 ucspi-tcp
.PHONY: machine
machine:
	@tests/supervise/machine $(BUILD)/image '$(MACHINE_PACKAGES)'
