# Farthing: make, make check, make demo, make help. Everything is built below build/; V=1 shows the commands.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
AR      ?= ar
PYTHON  ?= python3
PKG     ?= pkg-config
OPT     ?= -O2
SAN     ?=

# Reading order: a module uses only those in its line of contrib/lint/layers.txt.
MODULES := util crypto primitives script consensus policy descriptor psbt storage net chain mempool index sync mining zmq rpc electrum node

PACKAGES := libsecp256k1 libssl libcrypto libevent libevent_pthreads libevent_openssl json-c
# Notifications need libzmq (make HAVE_ZMQ= does without it).
HAVE_ZMQ := $(shell $(PKG) --exists libzmq 2>/dev/null && echo 1)
LEFT_OUT := $(if $(HAVE_ZMQ),src/zmq/absent.c,src/zmq/publisher.c src/zmq/socket.c)
WARN  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wcast-align -Wvla
HARD  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong
ifneq ($(SAN),)
HARD  :=
OPT   := -O1 -g -fno-omit-frame-pointer -fsanitize=$(SAN) -fno-sanitize-recover=all
endif
CFLAGS   ?=
LDFLAGS  ?=
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -Iinclude -Isrc $(OPT) -g $(HARD) -fPIC -ffunction-sections -fdata-sections -pthread $(WARN) \
              $(shell $(PKG) --cflags $(PACKAGES) 2>/dev/null) $(CFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -Wl,--as-needed -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
EXT_LIBS := $(shell $(PKG) --libs $(PACKAGES) $(if $(HAVE_ZMQ),libzmq) 2>/dev/null) -lleveldb -lm

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n'
endif

reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
# Static libraries of a module and of all that these need in turn, in link order.
$(foreach m,$(MODULES),$(eval LAYER_$(m) := $(shell sed -n 's/^$(m): *\([^|]*\)|.*/\1/p' contrib/lint/layers.txt)))
below = $(filter $(LAYER_$(1)) $(foreach m,$(LAYER_$(1)),$(LAYER_$(m))) $(filter-out node,$(1)),$(MODULES))
libs_for = $(patsubst %,$(BUILD)/lib%.a,$(call reverse,$(call below,$(1))))

src_of = $(filter-out $(LEFT_OUT),$(sort $(wildcard src/$(1)/*.c)))
obj_of = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call src_of,$(1)))

SOURCES := $(foreach m,$(MODULES) cli lib,$(call src_of,$(m)))
OBJECTS := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(SOURCES))
STATIC  := $(patsubst %,$(BUILD)/lib%.a,$(filter-out node,$(MODULES)))
UNIT    := $(patsubst test/unit/%.c,$(BUILD)/test/%,$(sort $(wildcard test/unit/*/test_*.c)))
BENCH   := $(patsubst test/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard test/bench/bench_*.c)))
FUZZ    := $(patsubst test/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
REPLAY  := $(patsubst test/fuzz/%.c,$(BUILD)/replay/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

.PHONY: all deps demo check check-unit check-functional check-fuzz check-asan check-tsan lint fuzz fuzz-programs bench cov format install clean help
.SUFFIXES:
.SECONDARY:

all: $(BUILD)/farthingd $(BUILD)/farthing-cli consensus-library

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t18

deps: ## install what the build needs
	contrib/install-deps.sh

$(BUILD)/obj/%.o: src/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(FLAGS_$(subst /,_,$*)) -MMD -MP -c -o $@ $<

FLAGS_rpc_zmq := $(if $(HAVE_ZMQ),-DWITH_ZMQ)

# Instruction-set kernels are compiled with their own flags and chosen at run time.
ifneq ($(filter x86_64-% amd64-%,$(shell $(CC) -dumpmachine)),)
FLAGS_crypto_sha256_shani := -msha -msse4.1
FLAGS_crypto_sha256_avx2 := -mavx2
FLAGS_crypto_sha256_scan_avx2 := -mavx2
FLAGS_crypto_sha256_scan_avx512 := -mavx512f -mprefer-vector-width=512
endif

define module_rule
$(BUILD)/lib$(1).a: $(call obj_of,$(1))
	$$(say) AR $$@
	@rm -f $$@
	$$(Q)$$(AR) rcs $$@ $$^
endef
$(foreach m,$(filter-out node,$(MODULES)),$(eval $(call module_rule,$(m))))

$(BUILD)/farthingd: $(call obj_of,node) $(call libs_for,node)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(call obj_of,node) $(call libs_for,node) $(EXT_LIBS)

CLI_LIBS := $(BUILD)/libcrypto.a $(BUILD)/libutil.a
CLI_EXT  := $(shell $(PKG) --libs libsecp256k1 libssl libcrypto json-c 2>/dev/null) -lm
$(BUILD)/farthing-cli: $(call obj_of,cli) $(CLI_LIBS)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(call obj_of,cli) $(CLI_LIBS) -Wl,--as-needed $(CLI_EXT)

# A unit test links its module and the ones below it, nothing above.
define unit_rule
$(BUILD)/test/$(1)/%: test/unit/$(1)/%.c $(wildcard test/unit/*.h test/unit/$(1)/*.h) $(call libs_for,$(1))
	$$(say) TEST $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Itest/unit -MMD -MP $$(ALL_LDFLAGS) -o $$@ $$< $(call libs_for,$(1)) $$(EXT_LIBS) -lcmocka
endef
$(foreach m,$(filter-out node,$(MODULES)),$(eval $(call unit_rule,$(m))))

# The programs' tests link all of them but main.
NODE_PARTS := $(filter-out %/main.o,$(call obj_of,node)) $(call libs_for,node)
$(BUILD)/test/node/%: test/unit/node/%.c $(wildcard test/unit/*.h) $(NODE_PARTS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itest/unit -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(NODE_PARTS) $(EXT_LIBS) -lcmocka

CLI_PARTS := $(filter-out %/main.o,$(call obj_of,cli)) $(CLI_LIBS)
$(BUILD)/test/cli/%: test/unit/cli/%.c $(wildcard test/unit/*.h) $(CLI_PARTS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itest/unit -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(CLI_PARTS) $(EXT_LIBS) -lcmocka

# gc-sections drops what a benchmark does not use of the modules.
$(BUILD)/bench/%: test/bench/%.c $(call libs_for,rpc)
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(call libs_for,rpc) $(EXT_LIBS)

# A fuzz target links the topmost module that it includes and those below; with replay.c it runs over its corpus, without libFuzzer.
fuzz_module = $(lastword $(filter $(shell sed -n 's|^\#include "\([a-z]*\)/.*|\1|p' test/fuzz/$(1).c),$(MODULES)))
define fuzz_rule
$(BUILD)/replay/$(1): test/fuzz/$(1).c test/fuzz/replay.c $(call libs_for,$(2))
	$$(say) FUZZ $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Itest/fuzz $$(ALL_LDFLAGS) -o $$@ test/fuzz/$(1).c test/fuzz/replay.c $(call libs_for,$(2)) $$(EXT_LIBS)

$(BUILD)/fuzz/$(1): test/fuzz/$(1).c $(call libs_for,$(2))
	$$(say) FUZZ $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Itest/fuzz $$(ALL_LDFLAGS) -fsanitize=fuzzer -o $$@ test/fuzz/$(1).c $(call libs_for,$(2)) $$(EXT_LIBS)

endef
$(foreach t,$(notdir $(FUZZ)),$(eval $(call fuzz_rule,$(t),$(call fuzz_module,$(t)))))

# --- Consensus library: include/farthingconsensus.h, nothing else visible -----------------------------------------------------------
CONSENSUS_LIBS := $(patsubst %,$(BUILD)/lib%.a,consensus script primitives crypto util)
CONSENSUS_EXT  := $(shell $(PKG) --libs libsecp256k1 libcrypto 2>/dev/null)
CONSENSUS_API  := farthing_verify_input farthing_verify_block

# One relocatable object of the library and what it uses of the modules; their names become local.
$(BUILD)/obj/lib/farthingconsensus-all.o: $(call obj_of,lib) $(CONSENSUS_LIBS)
	$(say) LD $@
	$(Q)$(LD) -r --gc-sections $(addprefix -u ,$(CONSENSUS_API)) -o $@.all $^
	$(Q)$(OBJCOPY) $(addprefix --keep-global-symbol=,$(CONSENSUS_API)) $@.all $@
	@rm -f $@.all

$(BUILD)/libfarthingconsensus.a: $(BUILD)/obj/lib/farthingconsensus-all.o
	$(say) AR $@
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/libfarthingconsensus.so: $(BUILD)/obj/lib/farthingconsensus-all.o contrib/libfarthingconsensus.map
	$(say) LINK $@
	$(Q)$(CC) -shared -Wl,-soname,libfarthingconsensus.so.0 -Wl,--version-script=contrib/libfarthingconsensus.map \
	    -Wl,-z,relro,-z,now -Wl,--gc-sections -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS) -o $@ $< $(CONSENSUS_EXT)
	$(Q)ln -sf libfarthingconsensus.so $@.0

$(BUILD)/libfarthingconsensus.pc: contrib/libfarthingconsensus.pc.in
	@mkdir -p $(@D)
	$(Q)sed 's|@PREFIX@|$(PREFIX)|' $< > $@

$(BUILD)/examples/%: contrib/examples/%.c include/farthingconsensus.h $(BUILD)/libfarthingconsensus.so
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(OPT) $(WARN) -std=c11 -Iinclude $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS) -o $@ $< -L$(BUILD) -lfarthingconsensus \
	    -Wl,-rpath,'$$ORIGIN/..'

# Its tests see what a user sees: the archive, beside the modules that read vectors.
$(BUILD)/test/lib/%: test/unit/lib/%.c $(wildcard test/unit/*.h) $(BUILD)/libfarthingconsensus.a $(BUILD)/libfarthingconsensus.so $(CONSENSUS_LIBS)
	$(say) TEST $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itest/unit -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(BUILD)/libfarthingconsensus.a $(CONSENSUS_LIBS) $(EXT_LIBS) -lcmocka

consensus-library: $(BUILD)/libfarthingconsensus.so $(BUILD)/libfarthingconsensus.a $(BUILD)/libfarthingconsensus.pc $(BUILD)/examples/verify_tx
.PHONY: consensus-library
OBJCOPY ?= objcopy
# --- end of the consensus library ---------------------------------------------------------------------------------------------------

# --- Checks ---------------------------------------------------------------------------------------------------------------------------
PROGRAMS := $(BUILD)/farthingd $(BUILD)/farthing-cli
RUN := $(PYTHON) test/run.py --build $(BUILD)

check: $(PROGRAMS) $(BUILD)/reference-dump $(UNIT) $(REPLAY) consensus-library ## run all tests
	$(RUN)
check-unit: $(UNIT) consensus-library ## run the unit tests
	$(RUN) --kinds unit,example
check-functional: $(PROGRAMS) $(BUILD)/reference-dump ## run the functional tests
	$(RUN) --kinds functional
check-fuzz: $(REPLAY) ## replay the fuzz targets' corpus
	$(RUN) --kinds replay
check-asan: ## all tests with address and undefined-behaviour sanitizers
	FARTHING_SANITIZER=1 FARTHING_TEST_SLOW=5 $(MAKE) BUILD=$(BUILD)/asan SAN=address,undefined check
check-tsan: ## all tests with the thread sanitizer
	FARTHING_SANITIZER=1 FARTHING_TEST_SLOW=10 \
	    TSAN_OPTIONS="suppressions=$(CURDIR)/contrib/lint/tsan.supp die_after_fork=0 detect_deadlocks=1 second_deadlock_stack=1" \
	    $(MAKE) BUILD=$(BUILD)/tsan SAN=thread check

# Versions differ in how they lay macros out.
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14) clang-format)
FORMATTED = $(wildcard src/*/*.[ch] include/*.h include/*/*.h test/unit/*.h test/unit/*/*.[ch] test/fuzz/*.[ch] test/bench/*.[ch] contrib/examples/*.c contrib/reference/*.c)
lint: $(PROGRAMS) $(BUILD)/reference-dump ## layers, banned calls, format, static analysis
	$(PYTHON) contrib/lint/layers.py $(BUILD)
	$(PYTHON) contrib/lint/banned.py
	$(PYTHON) contrib/reference/reference.py $(BUILD) --check
	@if $(CLANG_FORMAT) --version | grep -q 'version 14\.'; then echo $(CLANG_FORMAT) --dry-run; $(CLANG_FORMAT) --dry-run -Werror $(FORMATTED); \
	    else echo "format: not checked, it is that of clang-format 14, which is not here"; fi
	cppcheck -q -j2 --std=c11 --error-exitcode=1 --inline-suppr --enable=warning,portability --library=contrib/lint/cppcheck.cfg \
	    --suppressions-list=contrib/lint/cppcheck.txt -Iinclude -Isrc src
format: ## lay the code out
	$(CLANG_FORMAT) -i $(FORMATTED)

# Coverage-guided fuzzing: make fuzz FUZZ_TIME=600 [FUZZ_TARGET=fuzz_tx]
FUZZ_TIME   ?= 60
FUZZ_TARGET ?= $(notdir $(FUZZ))
fuzz: ## fuzz every target for FUZZ_TIME seconds (clang)
	$(MAKE) CC=clang BUILD=$(BUILD)/fuzzing SAN=address,undefined CFLAGS=-fsanitize=fuzzer-no-link fuzz-programs
	@for t in $(FUZZ_TARGET); do mkdir -p $(BUILD)/fuzzing/corpus/$$t && echo "== $$t" && \
	    d=test/fuzz/dict/$${t#fuzz_} && \
	    $(BUILD)/fuzzing/fuzz/$$t -max_total_time=$(FUZZ_TIME) -rss_limit_mb=4096 -timeout=25 -print_final_stats=0 -verbosity=0 \
	    $$(test -f $$d && echo -dict=$$d) \
	    $(BUILD)/fuzzing/corpus/$$t test/fuzz/corpus/$${t#fuzz_} || exit 1; done
fuzz-programs: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGET))

cov: ## coverage of the tests, as a table
	$(MAKE) BUILD=$(BUILD)/cov CFLAGS=--coverage LDFLAGS=--coverage check
	@cd $(BUILD)/cov && gcov -n $$(find obj -name '*.gcda') 2>/dev/null | \
	    awk -F"'" '/^File .src/{f=$$2} /^Lines executed/{if(f!=""){split($$0,a,/[:% ]+/);print a[3]"% " f;f=""}}' | sort -n

bench: $(PROGRAMS) $(BENCH) ## measure: one table
	$(PYTHON) test/bench/bench.py --build $(BUILD)

demo: $(PROGRAMS) ## two nodes, a chain, real blocks: watch the main job run
	$(PYTHON) contrib/demo.py --build $(BUILD)

# --- Texts that are made of tables: doc/rpc.md, doc/man, contrib/completions ---------------------------------------------------------
$(BUILD)/reference-dump: contrib/reference/dump.c $(call libs_for,rpc)
	$(say) LINK $@
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(call libs_for,rpc) $(EXT_LIBS)
docs: $(PROGRAMS) $(BUILD)/reference-dump ## write doc/rpc.md, man pages and shell completions
	$(PYTHON) contrib/reference/reference.py $(BUILD)
.PHONY: docs

# --- Installation ---------------------------------------------------------------------------------------------------------------------
install: $(PROGRAMS) consensus-library ## install below DESTDIR/PREFIX
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	install -m 644 contrib/completions/farthing-cli.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/farthing-cli
	install -m 644 contrib/completions/_farthing-cli $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 644 contrib/completions/farthing-cli.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 644 include/farthingconsensus.h $(DESTDIR)$(PREFIX)/include
	install -m 644 $(BUILD)/libfarthingconsensus.a $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(BUILD)/libfarthingconsensus.so $(DESTDIR)$(PREFIX)/lib/libfarthingconsensus.so.0
	ln -sf libfarthingconsensus.so.0 $(DESTDIR)$(PREFIX)/lib/libfarthingconsensus.so
	sed 's|@PREFIX@|$(PREFIX)|' contrib/libfarthingconsensus.pc.in > $(DESTDIR)$(PREFIX)/lib/pkgconfig/libfarthingconsensus.pc
	install -m 644 doc/man/farthingd.1 doc/man/farthing-cli.1 $(DESTDIR)$(PREFIX)/share/man/man1

clean: ## remove what was built
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d)
-include $(UNIT:=.d)
