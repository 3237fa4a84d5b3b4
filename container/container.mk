# make image: localhost/sinkhole:dev, offline. make container-check: its tests, for which it is
# built and run with all that the task definition takes away from it.

PKG_image := podman runc conmon catatonit netavark iptables mmdebstrap
PKG_container-check := $(PKG_all) $(PKG_image) binutils iproute2 swaks python3

.PHONY: image image-clean container-check
image: | $(filter deps,$(MAKECMDGOALS))
	@container/build $(BUILD)/image
container-check: | $(filter deps,$(MAKECMDGOALS))
	@tests/run BUILD=$(TOP)/$(BUILD) $(CONTAINER_SUITES)
image-clean:
	podman rmi --ignore localhost/sinkhole:dev localhost/smtp-out:dev
	podman image prune --force --filter label=org.opencontainers.image.title=sinkhole
	podman image prune --force --filter label=org.opencontainers.image.title=smtp-out
	podman images --quiet --filter reference=localhost/sinkhole-base \
		--filter reference=localhost/smtp-out-base | sort -u | xargs -r podman rmi --force
	rm -f $(BUILD)/image/*.tar $(BUILD)/image/*id

CONTAINER_SUITES := $(sort $(wildcard tests/container/test_*.py))
CHECK_SUITES += $(CONTAINER_SUITES)
