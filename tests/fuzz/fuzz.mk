# make fuzz: every target under libFuzzer, ASan and UBSan, FUZZ_SECONDS each; FUZZ_ONLY names some.
# The corpora are replayed without libFuzzer by tests/fuzz/test_corpus.py, in each variant.
FUZZ_SECONDS ?= 30
FUZZ_ONLY ?=
FUZZ_FLAGS := --enable-werror --enable-sanitizers=fuzzer-no-link,address,undefined CC=clang \
	CFLAGS='-g -O1'
PKG_fuzz := $(PKG_all) clang llvm libclang-rt-dev python3

.PHONY: fuzz build-fuzz
build-fuzz: configure
	@$(MAKE) --no-print-directory BUILD=build-fuzz CC=clang CONFIGURE_FLAGS="$(FUZZ_FLAGS)" \
		build-fuzz/config.mk
	@$(MAKE) -C build-fuzz --no-print-directory fuzzers
fuzz: build-fuzz
	@BUILD=$(TOP)/build-fuzz tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_ONLY)
