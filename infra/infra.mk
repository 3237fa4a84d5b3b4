# infra-check runs every test of infra/ that this machine can run; infra-tools fetches the one
# linter that Debian has no package for, where there is npm. Both are also part of `make check`.
#
# Terraform itself is no Debian package: the suites that need it skip without it. They look for a
# provider mirror on this machine; TF_PLUGIN_MIRROR=DIR names one (it holds HOST/hashicorp/aws/...).
.PHONY: infra-check infra-fmt infra-tools

INFRA_SUITES := $(wildcard tests/infra/test_*.py)
CHECK_SUITES += $(INFRA_SUITES)
PKG_infra-check := $(PKG_all) $(PKG_image) iproute2 python3 python3-yaml shellcheck
PKG_check += $(PKG_infra-check)

infra-check: all infra-tools
	@tests/run BUILD=$(TOP)/$(BUILD) $(INFRA_SUITES)

infra-fmt:
	terraform fmt -recursive infra

check: infra-tools
infra-tools: $(BUILD)/infra-tools/.done

# Without a network the lint that needs it skips, and says so.
$(BUILD)/infra-tools/.done: infra/tools/package.json infra/tools/package-lock.json
	@mkdir -p $(@D)
	@cp infra/tools/package.json infra/tools/package-lock.json $(@D)/
	@if command -v npm >/dev/null && npm ci --prefix $(@D) --silent --no-audit --no-fund \
		--ignore-scripts >$(@D)/npm.log 2>&1; \
	then touch $@; else echo 'infra-tools: npm could not install them; see $(@D)/npm.log'; fi
