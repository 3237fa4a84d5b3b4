# Part of the building half of the Makefile. In every variant each target has a plain main that
# replays files (replay/NAME); where the sanitizers include the fuzzer's, `make fuzzers` makes
# fuzz/NAME of them too.
FUZZ_NAMES := $(patsubst $(srcdir)/tests/fuzz/fuzz_%.c,%,$(wildcard $(srcdir)/tests/fuzz/fuzz_*.c))
FUZZ_LIBS = $(CURL_LIBS) $(JSONC_LIBS)

.PHONY: replays fuzzers
.PRECIOUS: obj/fuzz/%.o
unit-tests: replays
replays: $(addprefix replay/,$(FUZZ_NAMES))
fuzzers: $(addprefix fuzz/,$(FUZZ_NAMES))

obj/fuzz/%.o: $(srcdir)/tests/fuzz/%.c config.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(AWS_CFLAGS) -MMD -MP -c $< -o $@
replay/%: obj/fuzz/fuzz_%.o obj/fuzz/replay.o $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(FUZZ_LIBS)
fuzz/%: obj/fuzz/fuzz_%.o $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(FUZZ_LIBS)
