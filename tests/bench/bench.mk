# make bench: sinkholed beside smtp-sink and a responder that does nothing.

PKG_bench := $(PKG_all) python3 gnuplot-nox libdb5.3 libicu72 libnsl2 libsasl2-2 libssl3
PART_bench := postfix

BENCH_TOOLS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

.PHONY: bench
bench: all $(BENCH_TOOLS)
	@BUILD='$(TOP)/$(BUILD)' tests/bench/run $(BENCH)

$(BUILD)/bench/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -o $@ $<
