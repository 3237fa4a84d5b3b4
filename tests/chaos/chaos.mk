# make chaos: faults under load. SEED= repeats a run, SECONDS= makes it as long as one likes.

PKG_chaos := $(PKG_all) python3

.PHONY: chaos
chaos: all
	@BUILD='$(TOP)/$(BUILD)' tests/chaos/run $(if $(SEED),--seed $(SEED)) $(if $(SECONDS),--seconds $(SECONDS)) $(CHAOS)

CHECK_SUITES += tests/chaos/test_chaos.py
