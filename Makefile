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
MODULES := util crypto primitives script consensus policy storage net chain mempool sync mining rpc node

PACKAGES := libsecp256k1 libcrypto libevent libevent_pthreads json-c
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
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now -Wl,--gc-sections -pthread $(if $(SAN),-fsanitize=$(SAN)) $(LDFLAGS)
EXT_LIBS := $(shell $(PKG) --libs $(PACKAGES) 2>/dev/null) -lleveldb -lm

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n'
endif

reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
# Static libraries of a module and all below it, in link order.
layer_deps = $(shell sed -n 's/^$(1): *\([^|]*\)|.*/\1/p' contrib/lint/layers.txt)
libs_for = $(patsubst %,$(BUILD)/lib%.a,$(call reverse,$(strip $(call layer_deps,$(1)) $(filter-out node,$(1)))))

src_of = $(sort $(wildcard src/$(1)/*.c))
obj_of = $(patsubst src/%.c,$(BUILD)/obj/%.o,$(call src_of,$(1)))

SOURCES := $(foreach m,$(MODULES) cli lib,$(call src_of,$(m)))
OBJECTS := $(patsubst src/%.c,$(BUILD)/obj/%.o,$(SOURCES))
STATIC  := $(patsubst %,$(BUILD)/lib%.a,$(filter-out node,$(MODULES)))
UNIT    := $(patsubst test/unit/%.c,$(BUILD)/test/%,$(sort $(wildcard test/unit/*/test_*.c)))
BENCH   := $(patsubst test/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard test/bench/bench_*.c)))
FUZZ    := $(patsubst test/fuzz/%.c,$(BUILD)/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
REPLAY  := $(patsubst test/fuzz/%.c,$(BUILD)/replay/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))

.PHONY: all deps demo check check-unit check-functional check-fuzz check-asan check-tsan lint fuzz bench cov format install clean help
.SUFFIXES:
.SECONDARY:

all: $(BUILD)/farthingd $(BUILD)/farthing-cli

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t18

deps: ## install what the build needs
	contrib/install-deps.sh

$(BUILD)/obj/%.o: src/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(FLAGS_$(subst /,_,$*)) -MMD -MP -c -o $@ $<

# Instruction-set kernels are compiled with their own flags and chosen at run time.
FLAGS_crypto_sha256_shani := -msha -msse4.1
FLAGS_crypto_sha256_avx2 := -mavx2

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

$(BUILD)/farthing-cli: $(call obj_of,cli) $(BUILD)/libutil.a
	$(say) LINK $@
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $(call obj_of,cli) $(BUILD)/libutil.a $(EXT_LIBS)

# A unit test links its module and the ones below it, nothing above.
define unit_rule
$(BUILD)/test/$(1)/%: test/unit/$(1)/%.c $(wildcard test/unit/*.h test/unit/$(1)/*.h) $(call libs_for,$(1))
	$$(say) TEST $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) -Itest/unit -MMD -MP $$(ALL_LDFLAGS) -o $$@ $$< $(call libs_for,$(1)) $$(EXT_LIBS) -lcmocka
endef
$(foreach m,$(filter-out node,$(MODULES)),$(eval $(call unit_rule,$(m))))

$(BUILD)/bench/%: test/bench/%.c $(call libs_for,rpc)
	$(say) BENCH $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(call libs_for,rpc) $(EXT_LIBS)

$(BUILD)/replay/%: test/fuzz/%.c test/fuzz/replay.c $(call libs_for,rpc)
	$(say) FUZZ $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Itest/fuzz $(ALL_LDFLAGS) -o $@ $< test/fuzz/replay.c $(call libs_for,rpc) $(EXT_LIBS)

-include $(OBJECTS:.o=.d)
-include $(UNIT:=.d)
