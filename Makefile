# Lockstep. `make help` lists targets and variables.

VERSION = 0.1.0

# Variables (shown by `make help`)
PREFIX  ?= /usr/local## where `make install` puts things
DESTDIR ?=## put in front of PREFIX (for packagers)
SAN     ?=## sanitizers to build with: address,undefined or thread
BUILD   ?= build/$(MODE)## directory of the build; each mode has its own
CC      ?= cc## C compiler (gcc 11 or clang 14 and newer)
CFLAGS  ?= $(if $(SAN),-O1 -fno-omit-frame-pointer,-O3) -g## optimization and debugging
WERROR  ?=## -Werror: warnings stop the build, as scripts/test wants it
MPI     ?= ompi## pkg-config name of MPI (mpich); where it is not known, mpicc is asked
HDF5    ?= hdf5-$(if $(findstring mpich,$(MPI)),mpich,openmpi)## pkg-config name of the parallel HDF5 built with it; where it is not known, h5pcc is asked
HDF5_ROOT ?=## directory of a parallel HDF5, in place of that
TENSORBOARD ?=## no: without TensorBoard's event files; else with them where protobuf-c and protoc-c are found
TESTS   ?=## pattern of the tests that `make test` runs; all where empty
V       ?=## 1: show the commands in full
CONFIGS ?=## what `make bench` measures; the seven reference models where empty
PYTHON  ?= python3## Python of the benchmarks; if it has PyTorch, that is measured beside

comma := ,
Q     := $(if $(V),,@)
MODE  := $(or $(subst $(comma),-,$(SAN)),release)

# One directory of src/ each, lowest first; a room uses only rooms before it (scripts/check-deps).
ROOMS ?= base tensor nn optim par store data train state report config run api cli

PACKAGES := yaml-0.1 libjpeg libpng zlib sleef libxxhash
# Clang means other things by -Wconversion and -Wdouble-promotion: that enums are unsigned, and that INFINITY is a float.
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
            $(if $(findstring clang,$(shell $(CC) --version)),-Wno-sign-conversion,-Wdouble-promotion $(QUIET_MPI)) $(WERROR)
# MPICH's MPI_STATUSES_IGNORE is the address 1, which gcc takes for an array that is too short.
QUIET_MPI = $(if $(findstring mpich,$(MPI)),-Wno-stringop-overflow)
# Results must not depend on how a compiler contracts a*b+c; the other two only free it of errno and the FP status
# flags, which nothing here reads, and change no result.
FLOAT    := -ffp-contract=off -fno-math-errno -fno-trapping-math
SANITIZE := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)

# Asked for once, and only where something is built.
ifneq ($(filter-out help clean demo uninstall fuzz check%,$(or $(MAKECMDGOALS),all)),)
# A library's flags are pkg-config's; on a cluster, what the wrapper says that compiles with it (mpicc -show).
known   = $(foreach p,$(1),$(shell pkg-config --exists $(p) 2>/dev/null && echo $(p)))
shown   = $(filter -I% -L% -l% -Wl% -pthread %.a %.so,$(shell $(1) -show 2>/dev/null))
rooted  = -I$(1)/include $(foreach lib,$(wildcard $(1)/lib $(1)/lib64),-L$(lib) -Wl,-rpath,$(lib)) -lhdf5
MPI_FLAGS  := $(if $(call known,$(MPI)),,$(call shown,mpicc))
HDF5_FLAGS := $(if $(HDF5_ROOT),$(call rooted,$(HDF5_ROOT)),$(if $(call known,$(HDF5)),,$(call shown,h5pcc)))
PACKAGES   := $(if $(MPI_FLAGS),,$(MPI)) $(if $(HDF5_FLAGS),,$(HDF5)) $(PACKAGES)
MISSING    := $(filter-out $(call known,$(PACKAGES)),$(PACKAGES))
ifneq ($(strip $(MISSING)),)
$(error missing: $(strip $(MISSING)). scripts/setup installs what is missing; on a cluster see "Build on a cluster" in README.md)
endif
# The messages in TensorBoard's event files are protobuf's; only report/event_file.c needs it.
PROTOBUF   := $(if $(filter no,$(TENSORBOARD)),,$(if $(shell command -v protoc-c),$(call known,libprotobuf-c)))
# This file is newer than the library where the answer has changed.
$(shell mkdir -p $(BUILD); echo "$(PROTOBUF)" | cmp -s - $(BUILD)/tensorboard 2>/dev/null || echo "$(PROTOBUF)" >$(BUILD)/tensorboard)
FLAGS      := $(HDF5_FLAGS) $(MPI_FLAGS) $(shell pkg-config --cflags --libs $(PACKAGES) $(PROTOBUF))
# Other people's headers are not held to our warnings.
PACKAGE_CFLAGS := $(patsubst -I%,-isystem %,$(filter -I%,$(FLAGS)))
PACKAGE_LIBS   := $(filter-out -I% -D%,$(FLAGS))
TEST_CFLAGS    := $(shell pkg-config --cflags cmocka 2>/dev/null)
TEST_LIBS      := $(or $(shell pkg-config --libs cmocka 2>/dev/null),-lcmocka)
MACHINE        := $(shell $(CC) -dumpmachine)
endif

# A header is "room/name.h"; "room/name_internal.h" is for its own room, and for tests.
COMPILE = $(CC) -std=gnu11 $(WARNINGS) $(FLOAT) $(CFLAGS) $(SANITIZE) -pthread -MMD -MP \
          -DLS_VERSION='"$(VERSION)"' -Iinclude -Isrc -isystem $(BUILD)/src $(PACKAGE_CFLAGS) $(CPPFLAGS)
LINK    = $(CC) $(CFLAGS) $(SANITIZE) -pthread $(if $(SAN),-rdynamic) $(LDFLAGS)
LIBS    = $(PACKAGE_LIBS) -lm

# The kernels are one source, compiled once an instruction set; the best one is chosen at run time.
KERNEL_SOURCES := $(if $(filter tensor,$(ROOMS)),$(wildcard src/tensor/kernels*.c))
ISAS           := portable $(if $(filter x86_64-%,$(MACHINE)),avx2 avx512)
ISA_portable   :=
ISA_avx2       := -mavx2 -mfma
ISA_avx512     := -mavx2 -mfma -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512

MAIN            := src/cli/main.c
LEFT_OUT        := src/report/event_file$(if $(PROTOBUF),_missing).c
SOURCES         := $(filter-out $(MAIN) $(KERNEL_SOURCES) $(LEFT_OUT),$(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c)))
PROTOS          := $(if $(PROTOBUF),$(wildcard src/report/*.proto))
OBJECTS         := $(SOURCES:%.c=$(BUILD)/%.o) $(PROTOS:%.proto=$(BUILD)/%.pb-c.o) \
                   $(foreach isa,$(ISAS),$(KERNEL_SOURCES:%.c=$(BUILD)/%-$(isa).o))
FUZZ_DOOR       := $(BUILD)/tests/fuzz/door.o
SUPPORT_OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/fuzz/door.c,$(wildcard tests/support/*.c tests/fuzz/*.c)))
SUPPORT         := $(BUILD)/tests/libsupport.a
TEST_PROGRAMS   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c tests/mpi/test_*.c))
# Keeps the components that MPI unloads at exit mapped, so that the leak sanitizer can name their frames.
SAN_OBJECTS     := $(if $(SAN),$(BUILD)/tests/sanitizers/nodlclose.o)
# The calls of tests/support/faults.c for programs that are not linked with it.
FAULTS          := $(BUILD)/tests/faults.so
LIBRARY         := $(BUILD)/liblockstep.a
PROGRAM         := $(BUILD)/lockstep

.PHONY: all lib tests test check check-format check-deps check-code docs demo bench bench-kernels fuzz install uninstall clean help
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM) ## build the program (the default)
ifeq ($(BUILD),build/release)
	@ln -sfn release/lockstep build/lockstep
endif

lib: $(LIBRARY) ## build liblockstep.a only

tests: $(TEST_PROGRAMS) $(FAULTS) ## build the test programs

test: all tests ## build and run the tests
	tests/run --build $(BUILD) $(TESTS)

check: check-format check-deps check-code ## format, dependency direction, static analysis

# Other versions lay out otherwise, or complain of other things: without these the check is skipped.
FORMATTER = $(firstword $(foreach name,clang-format-14 clang-format,$(if $(findstring version 14.,$(shell $(name) --version 2>/dev/null)),$(name))))
CPPCHECK  = $(if $(findstring Cppcheck 2.10,$(shell cppcheck --version 2>/dev/null)),cppcheck)

check-format:
	@echo "  clang-format"
	$(if $(FORMATTER),$(Q)$(FORMATTER) --dry-run -Werror $(wildcard include/*/*.h src/*/*.[ch] tests/*/*.[ch] examples/*.c),@echo "SKIP check-format: there is no clang-format 14")

check-deps:
	@echo "  check-deps"
	$(Q)scripts/check-deps

# What cppcheck 2.10 does not understand: a field found by its offset in an option table, a vector that is set lane by
# lane, and a compound literal with braces inside an argument.
check-code:
	@echo "  cppcheck"
	$(if $(CPPCHECK),$(Q)cppcheck $(CPPCHECK_OPTIONS) -j 2 -Iinclude -Isrc $(addprefix src/,$(ROOMS)),@echo "SKIP check-code: there is no cppcheck 2.10")

CPPCHECK_OPTIONS := --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
                    --suppress=missingIncludeSystem --suppress=invalidPointerCast --suppress=internalAstError \
                    --suppress=uninitvar:src/tensor/simd_internal.h

# clang's libFuzzer; the targets are part of the ordinary tests, too (tests/unit/test_fuzz_corpus.c).
FUZZ_CC = $(firstword $(shell command -v clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14))
fuzz: ## build the fuzz targets with clang; tests/fuzz/run TARGET SECONDS runs one
	@[ -n "$(FUZZ_CC)" ] || { echo "make fuzz needs clang and its libFuzzer: scripts/setup --fuzz installs them"; exit 1; }
	$(Q)$(MAKE) --no-print-directory BUILD=build/fuzz "CC=$(FUZZ_CC)" SAN=fuzzer-no-link,address,undefined build/fuzz/tests/fuzz/fuzz

# Kernels are not what is fuzzed, and take minutes to compile with sanitizers.
build/fuzz/src/tensor/%.o: SANITIZE :=
$(BUILD)/tests/fuzz/fuzz: $(FUZZ_DOOR) $(SUPPORT) $(LIBRARY) $(SAN_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(TEST_LIBS) $(LIBS)

docs: all ## write docs/reference.md from the tables of the program
	$(PROGRAM) --tables >$(BUILD)/tables
	scripts/reference markdown <$(BUILD)/tables >docs/reference.md

demo: ## train a small autoencoder on two ranks and draw what it learnt
	scripts/demo

bench: all ## time a training step, ours and PyTorch's in turn; also as $(BUILD)/bench.json
	@$(PYTHON) scripts/bench --program $(PROGRAM) --json $(BUILD)/bench.json $(CONFIGS)

bench-kernels: $(BUILD)/tests/bench/bench_kernels ## time the kernels alone, beside OpenBLAS, libxsmm and oneDNN
	@$< >$(BUILD)/bench-kernels.txt && $(PYTHON) tests/bench/onednn.py <$(BUILD)/bench-kernels.txt

# The directories that are Lockstep's alone; the program, the library and lockstep.pc lie among others'. Scripts and jobs find the
# program in share/lockstep as they do here.
TO  := $(DESTDIR)$(PREFIX)
OWN := $(TO)/include/lockstep $(TO)/share/lockstep $(TO)/share/doc/lockstep
# Made from the tables of the program.
MAN  := $(TO)/share/man/man1/lockstep.1
BASH := $(TO)/share/bash-completion/completions/lockstep
ZSH  := $(TO)/share/zsh/site-functions/_lockstep

install: all $(BUILD)/lockstep.pc ## install program, library, header, examples, configs, scripts, jobs, documents, man page and completions under PREFIX
	install -d $(TO)/bin $(TO)/lib/pkgconfig $(OWN) $(addprefix $(TO)/share/doc/lockstep/docs/,images notes) $(addprefix $(TO)/share/lockstep/,configs examples scripts jobs build)
	install $(PROGRAM) $(TO)/bin/
	install -m 644 $(LIBRARY) $(TO)/lib/
	install -m 644 $(BUILD)/lockstep.pc $(TO)/lib/pkgconfig/
	install -m 644 include/lockstep/*.h $(TO)/include/lockstep/
	install -m 644 examples/* $(TO)/share/lockstep/examples/
	install -m 644 configs/*.yaml $(TO)/share/lockstep/configs/
	install $(addprefix scripts/,get-data plot reproduce mpi-env) $(TO)/share/lockstep/scripts/
	install jobs/* $(TO)/share/lockstep/jobs/
	ln -sfn ../../../bin/lockstep $(TO)/share/lockstep/build/
	install -m 644 LICENSE README.md CHANGELOG.md CONTRIBUTING.md CITATION.cff $(TO)/share/doc/lockstep/
	install -m 644 docs/*.md $(TO)/share/doc/lockstep/docs/
	install -m 644 docs/images/* $(TO)/share/doc/lockstep/docs/images/
	install -m 644 docs/notes/*.md $(TO)/share/doc/lockstep/docs/notes/
	$(PROGRAM) --tables >$(BUILD)/tables
	install -d $(dir $(MAN) $(BASH) $(ZSH))
	scripts/reference man <$(BUILD)/tables >$(MAN)
	scripts/reference bash <$(BUILD)/tables >$(BASH)
	scripts/reference zsh <$(BUILD)/tables >$(ZSH)

uninstall: ## remove what install has put there
	rm -rf $(OWN)
	rm -f $(TO)/bin/lockstep $(TO)/lib/liblockstep.a $(TO)/lib/pkgconfig/lockstep.pc $(MAN) $(BASH) $(ZSH)

clean: ## remove all builds
	rm -rf build $(BUILD)

help: ## this text
	@echo 'Targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s  %s\n", $$1, $$2 }' Makefile
	@echo 'Variables (make NAME=VALUE):'
	@awk -F ' *[?]= *|## ' '/^[A-Z0-9_]+ *[?]=.*## / { printf "  %-9s  %s%s\n", $$1, $$3, $$2 ? " [" $$2 "]" : "" }' Makefile

# For programs that use the library: it is a static one, and what it needs is named in full.
define PC
prefix=$(PREFIX)

Name: lockstep
Description: Trains image autoencoders on clusters of CPUs
URL: file://$(PREFIX)/share/doc/lockstep/README.md
Version: $(VERSION)
Cflags: -I$${prefix}/include
Libs: -L$${prefix}/lib -llockstep $(LIBS) -pthread
endef
.PHONY: $(BUILD)/lockstep.pc
$(BUILD)/lockstep.pc:
	$(file >$@,$(PC))

$(PROGRAM): $(BUILD)/$(MAIN:.c=.o) $(LIBRARY) $(SAN_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# From scratch, so that the object of a deleted source does not stay behind, nor TensorBoard's where it is left out.
$(LIBRARY): $(OBJECTS) $(BUILD)/tensorboard
$(SUPPORT): $(SUPPORT_OBJECTS)
$(LIBRARY) $(SUPPORT):
	@mkdir -p $(@D)
	@echo "  AR    $@"
	@rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

$(BUILD)/tensorboard: ;

$(TEST_PROGRAMS): %: %.o $(SUPPORT) $(LIBRARY) $(SAN_OBJECTS)
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(FAULTS): tests/support/faults.c tests/support/faults.h Makefile
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	$(Q)$(CC) -std=gnu11 $(WARNINGS) $(CFLAGS) -Itests -shared -fPIC -o $@ $< -ldl

# With OpenBLAS, and with libxsmm where it is installed (Debian: libopenblas-dev, libxsmm-dev).
BENCH_XSMM = $(shell pkg-config --exists libxsmm && echo libxsmm)
$(BUILD)/tests/bench/bench_kernels: %: %.o $(BUILD)/tests/bench/rival_openblas.o \
                                    $(if $(BENCH_XSMM),$(BUILD)/tests/bench/rival_libxsmm.o) $(LIBRARY)
	@echo "  LINK  $@"
	$(Q)$(LINK) -o $@ $^ $(shell pkg-config --libs openblas $(BENCH_XSMM:%=% libxsmmnoblas)) $(LIBS)
$(BUILD)/tests/bench/bench_kernels.o: CPPFLAGS += $(if $(BENCH_XSMM),-DHAVE_LIBXSMM)

$(BUILD)/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(COMPILE) -c -o $@ $<

# What protobuf-c makes of the messages of TensorBoard's event files; its warnings are not ours.
$(BUILD)/src/%.pb-c.c $(BUILD)/src/%.pb-c.h: src/%.proto
	@mkdir -p $(@D)
	@echo "  PROTO $<"
	$(Q)protoc-c --proto_path=src --c_out=$(BUILD)/src $<

$(BUILD)/src/%.pb-c.o: $(BUILD)/src/%.pb-c.c
	@echo "  CC    $@"
	$(Q)$(COMPILE) -w -c -o $@ $<

$(BUILD)/src/report/event_file.o: $(BUILD)/src/report/event.pb-c.h

$(BUILD)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $@"
	$(Q)$(COMPILE) $(TEST_CFLAGS) -Itests -c -o $@ $<

define kernel_rule
$$(BUILD)/src/tensor/kernels%-$(1).o: src/tensor/kernels%.c Makefile
	@mkdir -p $$(@D)
	@echo "  CC    $$@"
	$(Q)$$(COMPILE) $$(ISA_$(1)) -DLS_KERNEL_ISA=$(1) -c -o $$@ $$<
endef
$(foreach isa,$(ISAS),$(eval $(call kernel_rule,$(isa))))

-include $(FUZZ_DOOR:.o=.d) $(OBJECTS:.o=.d) $(SUPPORT_OBJECTS:.o=.d) $(TEST_PROGRAMS:=.d) $(BUILD)/$(MAIN:.c=.d)
