# Copyright The carbon_exporter Authors
# SPDX-License-Identifier: Apache-2.0

# `make help` lists the targets. Go builds everything from pinned modules: Go and make are
# enough, plus gcc for the tests with the race detector.

GO       ?= go
BIN      := bin
VERSION  := $(shell cat VERSION)
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH   := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
V        := github.com/prometheus/common/version
# The date of the commit, not of the build: the same commit gives the same program.
DATE     := $(shell TZ=UTC git show -s --date=format-local:%Y%m%d-%H:%M:%S --format=%cd HEAD 2>/dev/null)
# Who builds, as --version says it. Not the user of this machine, which would give another program.
BUILD_USER ?= carbon-exporter/maintainers
LDFLAGS  := -X $(V).BuildUser=$(BUILD_USER) -X $(V).Version=$(VERSION) -X $(V).Revision=$(REVISION) -X $(V).Branch=$(BRANCH) -X $(V).BuildDate=$(DATE)
# The same for files beside the programs.
COMMIT   := $(shell TZ=UTC git show -s --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd HEAD 2>/dev/null || echo 1970-01-01T00:00:00Z)
E2E      := internal/e2e
ROOT     := $(CURDIR)

# There is no C in the programs, and none is linked into them: they run on any Linux, and in an
# image with nothing else in it. Tests are compiled the same way, but for those with the race
# detector: what all share is compiled once.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)

# The race detector watches all code but SQLite, which is C translated to Go: it runs one
# statement at a time under its own lock, uses memory that Go does not know, and is seven times
# slower when watched.
RACE     := -race -gcflags='modernc.org/...=-race=false -d=checkptr=0'
# It is for the packages whose code has goroutines or locks, and for the API, which has those of
# the web server.
CONCURRENT := ./cmd/internal/api/ $(addprefix ./,$(sort $(dir $(shell grep -rlE '^[[:space:]]+"sync/?[a-z]*"$$|[[:space:]]go func|[.]Go.func' \
	--include='*.go' --exclude='*_test.go' --exclude-dir=e2e cmd collector internal))))
# In a file of tests that begins with "//go:build !race" there is only one goroutine, and much
# arithmetic: the detector has nothing to watch. The packages run once more without it.
UNWATCHED := $(addprefix ./,$(sort $(dir $(shell grep -rl '^//go:build !race$$' --include='*_test.go' --exclude-dir=e2e cmd collector internal))))
# These take minutes each and begin first, or one core would wait for the other at the end.
LONG := ./internal/store/ ./cmd/internal/exporter/ ./internal/ingest/
E2ELONG  := ./exporter ./profiles ./rules ./dashboards
# Packages of $(E2E) in which goroutines of this repository meet. The others only run programs
# and send requests: the detector would watch Prometheus, not this code.
E2ERACE  := ./mongodb

# How long `make fuzz` tries each target, and `make soak` runs.
FUZZTIME ?= 1m
SOAK     ?= 20m

.PHONY: help build demo stack dashboards pictures kubernetes chart image rehearsal check test unit race browser mandoc e2e deploy lint vuln unreached platforms release packages tools stacktools bench golden processors ember fuzz soak upstreams clean
.DEFAULT_GOAL := help

help: ## show this help
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS="$$(printf '\t')" read -r t d; do printf '  %-10s %s\n' "$$t" "$$d"; done

build: ## build carbon_exporter and carbontool into bin/
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/carbon_exporter ./cmd/carbontool

demo: build ## run the exporter on a simulated cloud and show the first numbers
	cd $(E2E) && $(GO) build -ldflags "-s -w" -o ../../$(BIN)/ ./cmd/simcloud ./cmd/demo
	@exec $(BIN)/demo $(DEMO)

dashboards: ## write dashboards/*.json from their Go code
	cd dashboards && $(GO) run . $(if $(TIMEZONE),-timezone $(TIMEZONE))

# Not a part of the tests, because of what npm downloads: those only see whether it was run.
pictures: rehearsal browser ## draw the dashboards and the landing page into docs/img (needs Node and npm)
	cd $(E2E) && $(GO) build -o ../../$(BIN)/ ./cmd/pictures
	@exec $(BIN)/pictures $(PICTURES)

kubernetes: ## write the rules and dashboards for kube-prometheus-stack into bin/kubernetes/
	$(GO) run ./cmd/internal/manifests -into $(BIN)/kubernetes $(if $(RELEASE),-release $(RELEASE))

chart: ## package the Helm chart with the rules and dashboards into bin/chart/
	cd tools/deploy && $(GO) run ./chart -root $(ROOT) -into $(ROOT)/$(BIN)/chart -date $(COMMIT)

# Two builds of a commit give the same image, wherever they run.
image: ## write the container image for amd64 and arm64 into bin/image/, without a daemon
	for arch in amd64 arm64; do GOOS=linux GOARCH=$$arch $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/linux-$$arch/ ./cmd/carbon_exporter ./cmd/carbontool || exit 1; done
	rm -rf $(BIN)/image
	cd tools/deploy && $(GO) run ./image -root $(ROOT) -programs $(ROOT)/$(BIN) -into $(ROOT)/$(BIN)/image -revision $(REVISION) -date $(COMMIT)

rehearsal: build tools ## build rehearse, which gives a Prometheus weeks of the exporter's metrics
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/internal/rehearsal
	cd $(E2E) && $(GO) build -ldflags "-s -w" -o ../../$(BIN)/ ./cmd/rehearse

stack: rehearsal stacktools ## run Prometheus, Alertmanager, node_exporter and the exporter together
	cd $(E2E) && $(GO) build -ldflags "-s -w" -o ../../$(BIN)/ ./cmd/simcloud ./cmd/stack
	@exec $(BIN)/stack $(STACK)

check: lint ## what to run while working: build, vet, lint and the tests of the packages that changed
	$(GO) build -o $(BIN)/ ./cmd/carbon_exporter ./cmd/carbontool
	$(GO) test ./...
	cd dashboards && $(GO) test -count=1 ./...

test: unit e2e deploy ## run every test: units, real files, real components (needs Go and a C compiler)

# -count=1: Go's test cache ignores files outside of a module, and programs that a test
# builds and runs. -vet=off: lint vets the same packages, with more analyzers. Here vet would read the
# code of all that they use, once for each way to compile it: minutes of a first run.
TEST := $(GO) test -count=1 -vet=off
unit: race browser mandoc
	CGO_ENABLED=1 $(TEST) $(RACE) -timeout 20m $(LONG) $(filter-out $(LONG),$(CONCURRENT))
	$(TEST) -timeout 20m $(filter $(LONG),$(UNWATCHED)) $(filter-out $(LONG),$(UNWATCHED)) $$($(GO) list ./... | grep -vxF "$$($(GO) list $(CONCURRENT))")
	cd dashboards && $(TEST) ./...

race:
	@command -v "$$($(GO) env CC)" >/dev/null || { echo "make test needs a C compiler for Go's race detector: install gcc" >&2; exit 1; }

# Chromium looks at the landing page as a phone does, and takes the pictures.
browser:
	@.ci/browser

# It reads the manual pages.
mandoc:
	@.ci/packages mandoc

e2e: rehearsal race
	cd $(E2E) && $(TEST) -timeout 20m $(E2ELONG) $$($(GO) list ./... | grep -vxF "$$($(GO) list $(E2ELONG))")
	cd $(E2E) && CGO_ENABLED=1 $(TEST) $(RACE) -timeout 20m $(E2ERACE)

# The Helm chart, the image and the mixin, with Helm's own code and the types of Kubernetes.
deploy: build
	cd tools/deploy && $(TEST) ./...

# They are only run: without what a debugger wants they link in half the time.
tools: ## build the real programs that the tests use
	cd tools/prometheus && $(GO) build -ldflags "-s -w" -tags remove_all_sd -o $(ROOT)/$(BIN)/ github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool
	cd tools/oldprometheus && $(GO) build -ldflags "-s -w" -o $(ROOT)/$(BIN)/ .
	cd tools/alertmanager && $(GO) build -ldflags "-s -w" -o $(ROOT)/$(BIN)/ github.com/prometheus/alertmanager/cmd/alertmanager github.com/prometheus/alertmanager/cmd/amtool
	cd tools/victoriametrics && $(GO) build -ldflags "-s -w" -o $(ROOT)/$(BIN)/ github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics

stacktools:
	cd tools/node_exporter && $(GO) build -ldflags "-s -w" -o $(ROOT)/$(BIN)/ github.com/prometheus/node_exporter

# Another clone may be linted on the same machine at the same time.
LINT = $(ROOT)/$(BIN)/golangci-lint run --allow-parallel-runners --config $(ROOT)/.golangci.yml ./...
lint: $(BIN)/golangci-lint ## run golangci-lint, vet included
	$(LINT)
	cd $(E2E) && $(LINT)
	cd dashboards && $(LINT)
	cd tools/deploy && $(LINT)
	cd packaging && $(LINT)

$(BIN)/golangci-lint: tools/golangci-lint/go.mod
	cd tools/golangci-lint && $(GO) build -ldflags "-s -w" -o $(ROOT)/$(BIN)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

vuln: ## compare the code with the Go vulnerability database, which is on the internet
	cd tools/govulncheck && $(GO) build -o $(ROOT)/$(BIN)/ golang.org/x/vuln/cmd/govulncheck
	$(BIN)/govulncheck ./...
	cd $(E2E) && $(ROOT)/$(BIN)/govulncheck ./...
	cd dashboards && $(ROOT)/$(BIN)/govulncheck ./...
	cd tools/deploy && $(ROOT)/$(BIN)/govulncheck ./...
	cd packaging && $(ROOT)/$(BIN)/govulncheck ./...

# The platforms of docs/requirements.md. The tests run on the first. What only tests and make use
# needs a Unix; internal/e2e, which starts servers, is for Linux.
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64
platforms: ## build and vet everything for each platform that docs/requirements.md promises
	@set -e; for p in $(PLATFORMS); do \
	export GOOS=$${p%/*} GOARCH=$${p#*/}; echo "$$p"; \
	$(GO) build -o /dev/null ./cmd/carbon_exporter; $(GO) build -o /dev/null ./cmd/carbontool; \
	$(GO) vet ./...; (cd dashboards && $(GO) vet ./...); done

release: ## write archives, packages, bills of materials and checksums into bin/release/; uploads nothing
	cd packaging && $(GO) run . -revision $(REVISION) -branch $(BRANCH) -user '$(BUILD_USER)' -date $(shell git show -s --format=%ct HEAD)

# Packages have files of several users, so the tests install them as root, in a folder. The user
# compiles the tests: root gets the user's compiled packages.
packages: ## make the packages for one platform twice, compare, install, upgrade and remove them
	@.ci/packages mandoc rpm zsh fish
	cd packaging && $(GO) test -count=1 $(if $(filter 0,$(shell id -u)),,-exec "sudo -n env PATH=$$PATH HOME=$$HOME") ./...

# One workspace of all modules: what only another module uses is used.
unreached: ## list functions that no program uses, tests aside
	cd tools/deadcode && $(GO) build -o $(ROOT)/$(BIN)/ golang.org/x/tools/cmd/deadcode
	@work=$$(mktemp -d) && trap 'rm -r "$$work"' EXIT && \
	(cd "$$work" && $(GO) work init $(ROOT) $(ROOT)/$(E2E) $(ROOT)/dashboards $(ROOT)/packaging $(ROOT)/tools/deploy) && \
	GOWORK="$$work/go.work" $(BIN)/deadcode -filter carbon-exporter/carbon_exporter ./cmd/... ./$(E2E)/cmd/... ./dashboards/... ./packaging/... ./tools/deploy/...

bench: ## run the benchmarks of docs/performance.md
	$(GO) test -run '^$$' -timeout 2h -bench . -benchmem ./internal/store ./internal/ingest ./internal/mongo ./internal/attribution ./collector ./cmd/internal/exporter ./cmd/carbontool
	cd $(E2E) && $(GO) test -run '^$$' -bench . -benchmem ./clientgolang ./worlds

processors: ## derive the table of processors from the results of servers
	$(GO) run ./tools/processors

ember: ## derive the table of the yearly carbon intensity of countries
	$(GO) run ./tools/ember

golden: ## rewrite the catalogue of metrics after a change
	$(GO) test ./collector -update

fuzz: ## fuzz each target for FUZZTIME (1m); what fails is kept as a seed in testdata/fuzz
	.ci/fuzz $(FUZZTIME)

soak: build tools ## run the exporter among faults for SOAK (20m) and compare every number with the truth
	cd $(E2E) && SOAK=$(SOAK) $(GO) test -count=1 -tags soak -run "^TestSoak$$" -timeout 0 -v ./exporter

# They take minutes to compile, so `make test` does without them. Without slicelabels both panic.
upstreams: tools ## compare with the truth on Thanos and Cortex, built first, and with DuckDB (needs Node and npm)
	cd tools/thanos && $(GO) build -tags slicelabels,netgo -o $(ROOT)/$(BIN)/ github.com/thanos-io/thanos/cmd/thanos
	cd tools/cortex && $(GO) build -tags slicelabels,netgo -o $(ROOT)/$(BIN)/ github.com/cortexproject/cortex/cmd/cortex
	mkdir -p $(BIN)/duckdb && cp tools/duckdb/.npmrc tools/duckdb/* $(BIN)/duckdb/ && cd $(BIN)/duckdb && npm ci --no-audit --no-fund
	cd $(E2E) && $(GO) test -count=1 -tags upstreams -run '^TestUpstream' -timeout 20m ./exporter ./twins

clean: ## remove what was built and the demo's data
	rm -rf $(BIN) .demo .stack
