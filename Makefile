# SPDX-License-Identifier: GPL-2.0-or-later
# A thin front for meson: make, make demo, make test.
BUILD = build

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)
	@ln -sf src/cli/reprise src/cli/reprise-system-x86_64 src/cli/reprise-system-i386 $(BUILD)/

$(BUILD)/build.ninja:
	@sh tools/install.sh
	@meson setup $(BUILD) $(MESON_OPTIONS)

# Installs what is missing, builds, boots Debian's kernel to a shell of its own and types at it.
demo: all
	@python3 tools/demo.py $(BUILD)

test: all
	@python3 tools/run-tests.py $(BUILD)

# The same guests under Reprise and Debian's QEMU, alternating: a table, build/bench/bench.json and .png.
# Debian's own python3 is the one that has python3-matplotlib.
# make bench BENCH='--only boot,hash --arch amd64 --runs 1'
bench: all
	@sh tools/install.sh packages-bench.txt
	@/usr/bin/python3 tools/bench/bench.py $(BUILD) $(BENCH)

clean:
	rm -rf $(BUILD)

.PHONY: all demo test bench clean
