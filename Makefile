# metricsjob: needs Go, gcc and make; the rest is fetched. `make` says what there is.

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LINTER   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
FUZZTIME ?= 30s
SIZE     ?= 5m
CASES    ?= 100000
RUNS     ?= 20000
FIRST    ?= 1
ONLY     ?=

# Where Go is not on the PATH it is usually here. A job without a home has its
# caches below build/.
export PATH := $(PATH):/usr/local/go/bin
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/build/home
endif

# DuckDB is C++ and is linked by the C compiler, which looks for libstdc++.so.
# That comes with g++. Where only gcc is installed, a link to the run-time
# library, which every machine has, does as well.
CXXLIB := libstdc++.so
ifeq ($(shell gcc -print-file-name=$(CXXLIB) 2>/dev/null),$(CXXLIB))
export CGO_LDFLAGS := -O2 -g -L$(CURDIR)/build/lib
$(shell mkdir -p build/lib && ln -sf "$$(gcc -print-file-name=$(CXXLIB).6)" build/lib/$(CXXLIB))
endif

# DuckDB's library exports each of its symbols. Nobody outside needs them: hidden,
# the binary is 7 MB smaller, and extensions load as before.
LDFLAGS := -s -w -X main.version=$(VERSION)
ifeq ($(shell uname -s),Linux)
LDFLAGS += -extldflags "-Wl,--exclude-libs,ALL -Wl,--gc-sections"
endif

.DEFAULT_GOAL := help
.PHONY: help demo build test lint bench soak simulate fuzz test-integration docs vendors tools clean

help: ## list what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r name what; do printf '  make %-18s %s\n' "$$name" "$$what"; done

demo: build ## compute the example on real data, print it and write result tables to build/demo
	build/metricsjob run examples/metrics.yaml --format table --out build/demo

build: tools ## build build/metricsjob
	@test -e build/metricsjob || echo 'building; the first time takes some minutes'
	go build -buildvcs=false -trimpath -ldflags '$(LDFLAGS)' -o build/metricsjob ./cmd/metricsjob

test: tools ## run all tests that need no server
	@scripts/test ./...

lint: tools build/bin/golangci-lint ## run the linters of .golangci.yml
	GOLANGCI_LINT_CACHE=$(CURDIR)/build/lint-cache build/bin/golangci-lint run ./... # findings are kept by path: each clone has its own

build/bin/golangci-lint: Makefile
	GOBIN=$(CURDIR)/build/bin go install $(LINTER)
	@touch $@

test-integration: build ## run the program on a terminal, in a fresh clone, against another DuckDB, and with object stores
	@scripts/integration
	@scripts/object_stores

bench: build ## compare a run with hand-written SQL over a synthetic export, SIZE 5m, 30m or 100m, 300 metrics with 16, and convert with DuckDB's COPY; then time the statistics, and the compiler, on one core
	go run ./bench -size $(SIZE)
	go run ./bench -size $(SIZE) -many
	go run ./bench -size $(SIZE) -convert
	GOMAXPROCS=1 go test ./internal/stats ./internal/job -run '^$$' -bench 'Compare|Boundaries|TenThousand|HundredExact|CompileMany'

soak: tools ## compare CASES (100000) random cases from seed FIRST (1), those with the feature ONLY, with the oracle; goes on where it was interrupted
	go test ./internal/job -vet=off -count=1 -v -timeout 0 -run 'TestOracle$$' -soak.cases=$(CASES) -soak.first=$(FIRST) -soak.only='$(ONLY)' -soak.dir=$(CURDIR)/build/soak

simulate: tools ## draw RUNS (20000) experiments in each simulation of internal/stats, with fixed seeds: coverage, power, false positives
	go test ./internal/stats -count=1 -v -timeout 0 -run 'TestSimulate' -simulate.runs=$(RUNS)

fuzz: tools ## fuzz the decoder and the expressions, FUZZTIME (30s) each
	@scripts/fuzz $(FUZZTIME)

docs: tools ## write docs/cli.md, docs/fields.md and the output in README.md and docs from the program
	go test ./cmd/metricsjob -run "TestCLIDocs|TestFieldDocs|TestReadme|TestPageBlocks" -update

vendors: tools ## write the exports in testdata/vendors anew
	go test ./internal/vendorexports -run TestWrite -update

tools:
	@command -v go >/dev/null || { echo 'make: Go is not installed: see https://go.dev/dl' >&2; exit 1; }
	@command -v gcc >/dev/null || { echo 'make: gcc is not installed: apt-get install gcc' >&2; exit 1; }
	@test ! -L build/lib/$(CXXLIB) || test -e build/lib/$(CXXLIB) || { echo 'make: libstdc++ is not installed: apt-get install g++' >&2; exit 1; }

clean: ## remove what was built
	rm -rf build
