# make fuzz: every target under libFuzzer, ASan and UBSan, FUZZ_SECONDS each; FUZZ_ONLY names some.
# make check does the same, and tests/fuzz/test_corpus.py replays the corpora in each variant.
FUZZ_SECONDS ?= 30
FUZZ_ONLY ?=
export FUZZ_SECONDS FUZZ_ONLY
FUZZ_FLAGS := --enable-werror --enable-sanitizers=fuzzer-no-link,address,undefined CC=clang \
	CFLAGS='-g -O1'
PKG_fuzz := $(PKG_check)

.PHONY: fuzz build-fuzz
build-fuzz: configure
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang CONFIGURE_FLAGS="$(FUZZ_FLAGS)" \
		build-fuzz/config.mk
	@$(MAKE) -C build-fuzz --no-print-directory fuzzers
fuzz: build-fuzz
	@tests/run BUILD=$(TOP)/build-fuzz tests/fuzz/run

check: build-fuzz
CHECK_SUITES += BUILD=$(TOP)/build-fuzz tests/fuzz/run BUILD=$(TOP)/$(BUILD)
