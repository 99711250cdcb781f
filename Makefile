# libiotedge: what a newcomer, a developer and CI run. `make help` lists it.
# Every target first runs ci/setup, which installs what is missing and is quick when nothing is.

PREFIX ?= /usr/local
SETUP  := ci/setup

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-metal demo-gchain test check lib install fuzz bench soak interop vectors header clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the build needs (the other targets do it by themselves)
	@$(SETUP)

demo: ## a neighbourhood of eight C devices, a gateway and four validators on this machine (3 minutes)
	@$(SETUP)
	@python3 ci/demo

demo-metal: ## three boards under QEMU and two Linux devices in one neighbourhood (4 minutes)
	@ci/setup metal
	@python3 ci/demo_metal

demo-gchain: ## eight C devices that settle on Ethereum: anvil, the contract, seven masternodes with stake (3 minutes)
	@$(SETUP)
	@ci/setup gchain
	@out/venv/bin/python ci/demo_gchain

test: ## everything that CI checks
	@$(SETUP)
	@ci/test

check: ## format, lints and unit tests (for every commit)
	@$(SETUP)
	@ci/check

lib: ## libiotedge.a for TARGET (this machine; TARGET=thumbv7em-none-eabihf, TARGET=all) into out/lib
	@ci/archive $(or $(TARGET),$(shell rustc -vV | sed -n 's/^host: //p'))

install: ## library, header, pkg-config and CMake files under PREFIX
	@$(SETUP)
	@ci/install "$(PREFIX)"

soak: ## 200 C devices, gateway and validators under loss, delay and SIGKILL for ten minutes; SECONDS_LONG=60
	@$(SETUP)
	@python3 ci/soak --seconds $${SECONDS_LONG:-600}

interop: ## check what the demo left with independent libraries
	@$(SETUP)
	@ci/interop/run

fuzz: ## fuzz every parser; SECONDS_EACH=60 TARGETS="wire frame"
	@$(SETUP)
	@ci/fuzz

bench: ## speed and size, one table and out/bench.json; STRICT=1 fails on a missed figure
	@$(SETUP) bench
	@ci/bench/run

vectors: ## write vectors/*.json again
	@$(SETUP)
	@ci/vectors --write

header: ## write include/iotedge.h again
	@$(SETUP)
	@ci/header --write

clean: ## remove what was built (not the tools)
	@cargo clean
	@rm -rf out/demo out/bench.json
