# make smtp-out-image: localhost/smtp-out:dev, offline, from Debian's packages.

PKG_smtp-out-image := podman runc conmon netavark iptables mmdebstrap gcc libc6-dev

.PHONY: smtp-out-image
smtp-out-image:
	CC="$(CC)" container/smtp-out/build $(BUILD)/image
