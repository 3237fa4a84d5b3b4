# One file, two roles. At the top of the tree it drives: it makes configure, a build directory for
# each variant, and calls itself there. In a build directory (config.mk exists) it builds.
-include config.mk
ifndef configured

# ---------------------------------------------------------------------------------- driving ----
BUILD ?= build
CONFIGURE_FLAGS ?=
TOP := $(CURDIR)
.DEFAULT_GOAL := all
.PHONY: all check quick lint run asan cover install dist clean distclean deps help

help:
	@echo 'make all        build the programs into $(BUILD)/'
	@echo 'make run        serve on 127.0.0.1:2525 with the mode in a file'
	@echo 'make check      run every test that this machine can run, plain and sanitized'
	@echo 'make deps GOALS install the Debian packages that these goals need, first'
	@echo 'make quick      the plain variant of the tests of the programs; make asan: the other'
	@echo 'make image      the container image; container-check, infra-check, supervise-check test'
	@echo '                the image, the Terraform modules, and the service managers'
	@echo 'make drill      the queue-persistence drill with real sendmail in containers'
	@echo 'make bench      speed beside smtp-sink; make chaos: faults under load, SEED= SECONDS='
	@echo 'make cover      line coverage of the unit and system tests'
	@echo 'make fuzz       every parser, the session and the board, FUZZ_SECONDS=30 each'
	@echo 'make lint       layering, sizes, formatting, shell and other checks of the text'
	@echo 'make install    DESTDIR= prefix= ; programs, man pages and samples'
	@echo 'make dist       a tar archive of the tracked files'
	@echo 'make clean      remove the build directories; distclean: configure too'

# What each goal needs of Debian's packages. Fragments add theirs. A PART starts a service or
# replaces the mail system when installed, so it is only unpacked, under $(BUILD)/parts/.
PKG_all := gcc make autoconf pkg-config libc6-dev libcurl4-openssl-dev libjson-c-dev \
	libseccomp-dev
PKG_run := $(PKG_all)
PKG_install := $(PKG_all)
PKG_lint := shellcheck clang-format python3 git
PKG_check := $(PKG_all) $(PKG_lint) check python3 swaks curl clang llvm \
	libclang-rt-dev procps iproute2 openssl
PKG_asan := $(PKG_check)
PKG_cover := $(PKG_check) gcovr
CHECK_SUITES :=

# Where only the programs are built, as for the image, they are not there.
-include container/container.mk infra/infra.mk $(addprefix tests/,supervise/supervise.mk drill/drill.mk bench/bench.mk \
	chaos/chaos.mk fuzz/fuzz.mk)

# `make deps check`: the packages of check. DEPS_FOR names other goals.
DEPS_FOR ?= $(or $(filter-out deps,$(MAKECMDGOALS)),all)
deps:
	@BUILD='$(BUILD)' tests/lib/deps.sh '$(sort $(foreach g,$(DEPS_FOR),$(PKG_$(g))))' \
		'$(sort $(foreach g,$(DEPS_FOR),$(PART_$(g))))'

# `deps` comes before everything else on the same command line, under -j too: then only the makes
# below this one do several things at once.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif
configure: configure.ac | $(filter deps,$(MAKECMDGOALS))
	autoconf
	autoheader
	@touch $@
$(BUILD)/config.mk: configure src/config.mk.in
	@mkdir -p $(BUILD)
	cd $(BUILD) && CC='$(CC)' $(TOP)/configure --quiet $(CONFIGURE_FLAGS)
	@touch $@

all: $(BUILD)/config.mk
	@$(MAKE) -C $(BUILD) --no-print-directory all
install: $(BUILD)/config.mk
	@$(MAKE) -C $(BUILD) --no-print-directory install $(if $(DESTDIR),DESTDIR='$(abspath $(DESTDIR))')
run: all
	@$(TOP)/tests/lib/try.sh $(BUILD)

# A variant is a build directory of its own, never other flags over stale objects.
ASAN_FLAGS := --enable-werror --enable-sanitizers=address,undefined CC=clang CFLAGS='-g -O1'
.PHONY: build-plain build-asan
build-plain: $(BUILD)/config.mk
	@$(MAKE) -C $(BUILD) --no-print-directory all unit-tests
build-asan: configure
	@$(MAKE) --no-print-directory BUILD=build-asan CC=clang CONFIGURE_FLAGS="$(ASAN_FLAGS)" build-plain

# The suites: unit tests are programs in the build directory; the others are scripts that find it
# in the variable BUILD. Each variant runs the suites that are about the programs themselves.
unit = $(patsubst tests/unit/%.c,$(1)/tests/%,$(wildcard tests/unit/test_*.c))
VARIANT_SUITES = $(wildcard tests/smtp/test_*.py tests/system/test_*.py tests/aws/test_*.py \
	tests/fuzz/test_*.py)
PLAIN_SUITES = BUILD=$(TOP)/$(BUILD) $(call unit,$(BUILD)) $(VARIANT_SUITES)
ASAN_SUITES = BUILD=$(TOP)/build-asan $(call unit,build-asan) $(VARIANT_SUITES)
LINT_SUITES = $(wildcard tests/lint/test_*.py)

check: build-plain build-asan
	@tests/run $(LINT_SUITES) $(PLAIN_SUITES) $(ASAN_SUITES) BUILD=$(TOP)/$(BUILD) $(CHECK_SUITES)
quick: build-plain
	@tests/run $(PLAIN_SUITES)
asan: build-asan
	@tests/run $(ASAN_SUITES)
lint:
	@tests/run $(LINT_SUITES)
cover: configure
	@$(MAKE) --no-print-directory BUILD=build-cover \
		CONFIGURE_FLAGS="--enable-coverage --disable-hardening CFLAGS='-g -O0'" build-plain
	@tests/run BUILD=$(TOP)/build-cover $(call unit,build-cover) $(VARIANT_SUITES)
	gcovr --root . --object-directory build-cover --exclude tests --print-summary

dist:
	git archive --prefix=sinkhole-$(shell sed -n 's/^AC_INIT.*\[\([0-9.]*\)\].*/\1/p' configure.ac)/ \
		-o sinkhole.tar.gz HEAD
clean:
	rm -rf $(BUILD) build-asan build-cover build-fuzz sinkhole.tar.gz
distclean: clean
	rm -rf configure configure~ src/config.h.in autom4te.cache

else

# --------------------------------------------------------------------------------- building ----
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wformat=2 -Wundef -Wvla
ALL_CPPFLAGS = -I. -I$(srcdir)/src -D_GNU_SOURCE -DVERSION='"$(VERSION)"' \
	-DSBINDIR='"$(sbindir)"' $(CPPFLAGS)
ALL_CFLAGS = -std=c11 $(WARN) $(WERROR) $(HARDEN_CFLAGS) $(VARIANT_FLAGS) -pthread $(CFLAGS)
ALL_LDFLAGS = $(HARDEN_LDFLAGS) $(VARIANT_FLAGS) -pthread $(LDFLAGS)

# One archive a layer; a program links its layers from the top down.
LAYERS := base mode aws smtp server report ctl
lib_of = $(foreach l,$(1),lib$(l).a)
sources_of = $(wildcard $(srcdir)/src/$(1)/*.c)
objects_of = $(patsubst $(srcdir)/src/%.c,obj/%.o,$(call sources_of,$(1)))

PROGRAMS := sinkholed sinkholectl sinkhole-refresh
LAYERS_sinkholed := server smtp mode base
LIBS_sinkholed =
LAYERS_sinkholectl := ctl report mode base
LIBS_sinkholectl = $(JSONC_LIBS)
LAYERS_sinkhole-refresh := aws mode base
LIBS_sinkhole-refresh = $(CURL_LIBS) $(JSONC_LIBS)
AWS_CFLAGS = $(CURL_CFLAGS) $(JSONC_CFLAGS)

# The suites, and the servers that other suites talk to.
UNIT_TESTS := $(patsubst $(srcdir)/tests/unit/%.c,tests/%,$(wildcard \
	$(srcdir)/tests/unit/test_*.c $(srcdir)/tests/unit/serve_*.c))

# One short line for each step; V=1 shows the whole command.
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@; )

.DEFAULT_GOAL := all
.PHONY: all unit-tests install clean
all: $(PROGRAMS)
unit-tests: $(UNIT_TESTS)
# Objects between a source and its program stay, or the next make would build them once more.
.SECONDARY:

obj/%.o: $(srcdir)/src/%.c config.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(AWS_CFLAGS) -MMD -MP -c $< -o $@
obj/cmd/%.o: $(srcdir)/cmd/%.c config.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@
obj/unit/%.o: $(srcdir)/tests/unit/%.c config.h
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(AWS_CFLAGS) $(CHECK_CFLAGS) -MMD -MP -c $< -o $@

# The sandbox's filter is made here and not by each process that enters it.
ifneq ($(sandbox),)
obj/filter: $(srcdir)/src/server/gen/filter.c
	@mkdir -p $(@D)
	$(call say,CC)$(CC) -std=c11 $(WARN) -D_GNU_SOURCE -g $(SECCOMP_CFLAGS) -o $@ $< $(SECCOMP_LIBS)
server/sandbox_filter.h: obj/filter
	@mkdir -p $(@D)
	$(call say,GEN)obj/filter > $@.new && mv $@.new $@
obj/server/sandbox.o: server/sandbox_filter.h
endif

define archive
lib$(1).a: $$(call objects_of,$(1))
	$$(call say,AR)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive,$(l))))

define program
$(1): obj/cmd/$(1).o $$(call lib_of,$$(LAYERS_$(1)))
	$$(call say,LD)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS_$(1))
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

# A unit test may use every layer; the linker takes what it needs.
UNIT_LIBS := $(call lib_of,server smtp aws ctl report mode base)
tests/%: obj/unit/%.o $(UNIT_LIBS)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CHECK_LIBS) $(CURL_LIBS) $(JSONC_LIBS)

-include $(srcdir)/tests/fuzz/build.mk

INSTALL := install
install: all
	$(INSTALL) -d $(addprefix $(DESTDIR),$(bindir) $(sbindir) $(mandir)/man1 $(mandir)/man8 $(docdir))
	$(INSTALL) -m 755 sinkholed sinkhole-refresh $(DESTDIR)$(sbindir)
	$(INSTALL) -m 755 sinkholectl $(DESTDIR)$(bindir)
	$(INSTALL) -m 644 $(srcdir)/docs/man/*.1 $(DESTDIR)$(mandir)/man1
	$(INSTALL) -m 644 $(srcdir)/docs/man/*.8 $(DESTDIR)$(mandir)/man8
	$(INSTALL) -m 644 $(srcdir)/README.md $(DESTDIR)$(docdir)
	$(INSTALL) -D -m 644 $(srcdir)/etc/completion/sinkholectl.bash \
		$(DESTDIR)$(datarootdir)/bash-completion/completions/sinkholectl
	$(INSTALL) -D -m 644 $(srcdir)/etc/completion/_sinkholectl \
		$(DESTDIR)$(datarootdir)/zsh/site-functions/_sinkholectl
	cd $(srcdir) && find etc -type f -not -path 'etc/completion/*' -exec \
		tests/lib/install-sample.sh {} $(abspath $(DESTDIR)/)$(docdir)/examples $(sbindir) \;
clean:
	rm -rf obj server *.a $(PROGRAMS) tests

-include $(shell find obj -name '*.d' 2>/dev/null)
endif
