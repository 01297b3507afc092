# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front for meson: make, make demo, make test.
BUILD = build
SANITIZE = build-sanitize

PROGRAMS = src/cli/reprise src/cli/reprise-system-x86_64 src/cli/reprise-system-i386

all: programs
	@ninja -C $(BUILD)

programs: $(BUILD)/build.ninja
	@ninja -C $(BUILD) $(PROGRAMS)
	@ln -sf $(PROGRAMS) $(BUILD)/

# Again when the list of packages has changed.
$(BUILD)/build.ninja: tools/packages.txt
	@sh tools/install.sh
	@[ -f $@ ] || meson setup $(BUILD) $(MESON_OPTIONS)
	@touch $@

# Installs what is missing, builds, boots Debian's kernel to a shell of its own and types at it.
demo: programs
	@python3 tools/demo.py $(BUILD)

test: all
	@sh tools/install.sh packages-test.txt
	@python3 tools/run-tests.py $(BUILD)

# The same guests under Reprise and Debian's QEMU, alternating: a table, build/bench/bench.json and .png.
# Debian's own python3 is the one that has python3-matplotlib.
# make bench BENCH='--only boot,hash --arch amd64 --runs 1'
bench: all
	@sh tools/install.sh packages-test.txt packages-bench.txt
	@/usr/bin/python3 tools/bench/bench.py $(BUILD) $(BENCH)

clean:
	rm -rf $(BUILD) $(SANITIZE)

# A build with clang and its address and undefined-behaviour sanitizers, in a folder of its own.
# Its tests: python3 tools/run-tests.py build-sanitize --suite unit --suite guest --suite cli
sanitize:
	@sh tools/install.sh packages.txt packages-ci.txt
	@[ -f $(SANITIZE)/build.ninja ] || \
	    CC=clang meson setup $(SANITIZE) -Db_sanitize=address,undefined -Db_lundef=false $(MESON_OPTIONS)
	@ninja -C $(SANITIZE)

# What clang-tidy has to say about FILES (default: all of src).  Slow.
tidy: all
	@sh tools/install.sh packages-ci.txt
	@run-clang-tidy -quiet -p $(BUILD) $(or $(FILES),$(CURDIR)/src/) 2>/dev/null

.PHONY: all demo test bench clean programs sanitize tidy
