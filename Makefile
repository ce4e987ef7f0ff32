# `make help` lists what there is. Everything is built by Go from pinned modules; a
# machine with Go and make is enough, and gcc for the race detector of the tests.

GO       ?= go
BIN      := bin
VERSION  := $(shell cat VERSION)
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
BRANCH   := $(shell git rev-parse --abbrev-ref HEAD 2>/dev/null || echo unknown)
V        := github.com/prometheus/common/version
LDFLAGS  := -X $(V).Version=$(VERSION) -X $(V).Revision=$(REVISION) -X $(V).Branch=$(BRANCH)
E2E      := internal/e2e

.PHONY: help build demo stack dashboards rehearsal test unit race e2e tools lint bench golden fuzz clean
.DEFAULT_GOAL := help

help: ## show this help
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | while IFS="$$(printf '\t')" read -r t d; do printf '  %-10s %s\n' "$$t" "$$d"; done

build: ## build carbon_exporter and carbontool into bin/
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/carbon_exporter ./cmd/carbontool

demo: build ## run the exporter on a simulated cloud and show the first numbers
	cd $(E2E) && $(GO) build -trimpath -ldflags "-s -w" -o ../../$(BIN)/ ./cmd/simcloud ./cmd/demo
	@exec $(BIN)/demo $(DEMO)

dashboards: ## write dashboards/*.json anew from their code
	cd dashboards && $(GO) run . $(if $(TIMEZONE),-timezone $(TIMEZONE))

rehearsal: build tools ## build rehearse, which gives a Prometheus weeks of the exporter's metrics
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/internal/rehearsal
	cd $(E2E) && $(GO) build -o ../../$(BIN)/ ./cmd/rehearse

stack: rehearsal ## run all that an operator has: Prometheus, Alertmanager, node_exporter, the exporter
	cd $(E2E) && $(GO) build -trimpath -ldflags "-s -w" -o ../../$(BIN)/ ./cmd/simcloud ./cmd/stack
	@exec $(BIN)/stack $(STACK)

test: unit e2e ## run every test: units, real files, real components (needs Go and a C compiler)

unit: build race
	$(GO) vet ./...
	$(GO) test -race -timeout 30m ./...
	cd dashboards && $(GO) vet ./... && $(GO) test ./...

race:
	@command -v "$$($(GO) env CC)" >/dev/null || { echo "make test needs a C compiler for Go's race detector: install gcc" >&2; exit 1; }

e2e: rehearsal race
	cd $(E2E) && $(GO) vet ./... && $(GO) test -race -timeout 30m ./...

tools: ## build the real programs that the tests and the stack use
	$(GO) build -modfile=tools/prometheus.mod -tags remove_all_sd,netgo -o $(BIN)/ \
		github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool
	$(GO) build -modfile=tools/alertmanager.mod -tags netgo -o $(BIN)/ \
		github.com/prometheus/alertmanager/cmd/alertmanager github.com/prometheus/alertmanager/cmd/amtool
	CGO_ENABLED=0 $(GO) build -modfile=tools/node_exporter.mod -o $(BIN)/ github.com/prometheus/node_exporter

lint: ## run golangci-lint
	$(GO) build -modfile=tools/golangci-lint.mod -o $(BIN)/ github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	$(BIN)/golangci-lint run ./...
	cd $(E2E) && ../../$(BIN)/golangci-lint run --config ../../.golangci.yml ./...
	cd dashboards && ../$(BIN)/golangci-lint run --config ../.golangci.yml ./...

bench: ## run the benchmarks of docs/performance.md
	$(GO) test -run '^$$' -bench . -benchmem ./internal/store ./internal/mongo ./internal/attribution ./collector ./cmd/internal/exporter ./cmd/carbontool
	cd $(E2E) && $(GO) test -run '^$$' -bench . -benchmem ./clientgolang

golden: ## rewrite the catalogue of metrics after a change
	$(GO) test ./collector -update

fuzz: ## fuzz the decoder for a minute
	$(GO) test -run '^$$' -fuzz FuzzDecode -fuzztime 1m ./internal/source

clean: ## remove what was built and the demo's data
	rm -rf $(BIN) .demo .stack
