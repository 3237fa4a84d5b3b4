# make bench: sinkholed beside smtp-sink and a responder that does nothing.

PKG_bench := $(PKG_all) python3 gnuplot-nox libdb5.3 libicu72 libnsl2 libsasl2-2 libssl3
PART_bench := postfix
PKG_check += strace

BENCH_TOOLS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

.PHONY: bench
bench: all $(BENCH_TOOLS)
	@BUILD='$(TOP)/$(BUILD)' tests/bench/run $(BENCH)

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<

# Timing is no test on a busy machine; what can be counted is.
CHECK_SUITES += tests/bench/test_costs.py
