// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is Prometheus itself, in a test or a demo: its TSDB, its PromQL engine and its
// HTTP API, put together as in cmd/prometheus. It knows nothing of carbon_exporter and fakes
// nothing that a query can see. Start with Open, fill it with Append, serve it with Handler.
package engine

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/tsdb"
)

// Options of an Engine. The zero values are the defaults of prometheus.
type Options struct {
	Dir           string        // directory of the TSDB; the caller removes it
	Logger        *slog.Logger  // silent if nil
	MaxSamples    int           // --query.max-samples, 50 000 000; more is a 422
	Timeout       time.Duration // --query.timeout, 2m; longer is a 503
	LookbackDelta time.Duration // --query.lookback-delta, 5m
	WAL           bool          // keeps what was appended for the next Open of Dir; filling takes longer
	// Blocks is the length of the TSDB's first blocks, for samples appended in order of time,
	// so that a prometheus can open them; 0: no blocks are cut, see blockLength.
	Blocks time.Duration
}

// Engine is a Prometheus server without scraping and rules.
type Engine struct {
	db     *tsdb.DB
	query  *promql.Engine
	parser parser.Parser
	logger *slog.Logger
	opts   Options
}

// blockLength is so long that the head is never cut into blocks: Prometheus accepts samples as
// old as half of it, in any order of series, so a year of history can be appended at once.
const blockLength = 2 * 366 * 24 * time.Hour

// Open opens the TSDB in a directory, which is created if it does not exist.
func Open(o Options) (*Engine, error) {
	if o.Logger == nil {
		o.Logger = promslog.NewNopLogger()
	}
	if o.MaxSamples == 0 {
		o.MaxSamples = 50_000_000
	}
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Minute
	}
	if o.LookbackDelta == 0 {
		o.LookbackDelta = 5 * time.Minute
	}
	options := tsdb.DefaultOptions()
	options.MinBlockDuration = blockLength.Milliseconds()
	options.MaxBlockDuration = blockLength.Milliseconds()
	if o.Blocks > 0 {
		options.MinBlockDuration = o.Blocks.Milliseconds()
		options.MaxBlockDuration = 27 * o.Blocks.Milliseconds() // three steps of three
	}
	options.RetentionDuration = 0 // for ever: tests use years that are long past
	if !o.WAL {
		options.WALSegmentSize = -1
	}
	db, err := tsdb.Open(o.Dir, o.Logger, prometheus.NewRegistry(), options, tsdb.NewDBStats())
	if err != nil {
		return nil, fmt.Errorf("open tsdb in %s: %w", o.Dir, err)
	}
	e := &Engine{db: db, parser: parser.NewParser(parser.Options{}), logger: o.Logger, opts: o}
	e.query = promql.NewEngine(promql.EngineOpts{
		Logger:                   o.Logger,
		Reg:                      prometheus.NewRegistry(),
		MaxSamples:               o.MaxSamples,
		Timeout:                  o.Timeout,
		LookbackDelta:            o.LookbackDelta,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   e.parser,
	})
	return e, nil
}

// Close ends queries and closes the TSDB. Stop the server of Handler first.
func (e *Engine) Close() error {
	if err := e.query.Close(); err != nil {
		return fmt.Errorf("close query engine: %w", err)
	}
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close tsdb: %w", err)
	}
	return nil
}

// Stale is the value that ends a series: Prometheus writes it when a target disappears.
func Stale() float64 { return math.Float64frombits(value.StaleNaN) }

// Handler serves what prometheus serves at /api/v1/, and its health pages.
func (e *Engine) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", e.api()))
	for page, text := range map[string]string{
		"/-/healthy": "Prometheus Server is Healthy.\n",
		"/-/ready":   "Prometheus Server is Ready.\n",
	} {
		mux.HandleFunc(page, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	return mux
}
