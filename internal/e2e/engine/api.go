// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"net/http"
	"net/url"
	"runtime"

	"github.com/grafana/regexp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	v1 "github.com/prometheus/prometheus/web/api/v1"
)

// api is Prometheus' own API, compression and codecs included. The arguments that concern
// queries are those of cmd/prometheus; everything else is switched off or empty: there is
// nothing to scrape, no rule and no remote write.
func (e *Engine) api() http.Handler {
	registry := prometheus.NewRegistry()
	configuration := config.DefaultConfig
	api := v1.NewAPI(
		e.query, e.db, nil, e.db,
		func(context.Context) v1.ScrapePoolsRetriever { return nothing{} },
		func(context.Context) v1.TargetRetriever { return nothing{} },
		func(context.Context) v1.AlertmanagerRetriever { return nothing{} },
		func() config.Config { return configuration },
		map[string]string{},
		v1.GlobalURLOptions{},
		func(next http.HandlerFunc) http.HandlerFunc { return next }, // always ready
		admin{e.db}, e.opts.Dir, false,
		false, 0, // no search
		e.logger,
		func(context.Context) v1.RulesRetriever { return nothing{} },
		5e7, 10, 1<<20, // limits of remote read
		false, // not an agent
		anyOrigin,
		func() (v1.RuntimeInfo, error) { return v1.RuntimeInfo{}, nil },
		&v1.PrometheusVersion{Version: version, GoVersion: runtime.Version()},
		func() []notifications.Notification { return nil },
		func() (<-chan notifications.Notification, func(), bool) { return nil, func() {}, false },
		registry, registry,
		nil,        // the default statistics
		false, nil, // no remote write
		false, false, false, // no OTLP
		e.opts.LookbackDelta,
		false, false, // no type and unit labels, no metadata
		nil,
		features.NewRegistry(),
		v1.OpenAPIOptions{Version: version, IncludePaths: []string{"/status"}}, // the whole takes 60 ms to write
		e.parser,
		false, // no query cost
		e.opts.Timeout,
	)
	router := route.New()
	api.Register(router)
	return router
}

// anyOrigin is the default of --web.cors.origin.
var anyOrigin = regexp.MustCompile(`^(?s:.*)$`)

// version is the version of the module in go.mod.
const version = "3.16.0"

// nothing is a Prometheus without targets, rules and Alertmanagers.
type nothing struct{}

func (nothing) ScrapePools() []string                       { return []string{} }
func (nothing) TargetsActive() map[string][]*scrape.Target  { return nil }
func (nothing) TargetsDropped() map[string][]*scrape.Target { return nil }
func (nothing) TargetsDroppedCounts() map[string]int        { return nil }
func (nothing) ScrapePoolConfig(string) (*config.ScrapeConfig, error) {
	return &config.ScrapeConfig{}, nil
}
func (nothing) Alertmanagers() []*url.URL            { return nil }
func (nothing) DroppedAlertmanagers() []*url.URL     { return nil }
func (nothing) RuleGroups() []*rules.Group           { return nil }
func (nothing) AlertingRules() []*rules.AlertingRule { return nil }

// admin is the TSDB with the interface of the API's status pages.
type admin struct{ *tsdb.DB }

func (a admin) Stats(by string, limit int) (*tsdb.Stats, error) {
	return a.Head().Stats(by, limit), nil
}
func (a admin) BlockMetas() ([]tsdb.BlockMeta, error)          { return a.DB.BlockMetas(), nil }
func (a admin) WALReplayStatus() (tsdb.WALReplayStatus, error) { return tsdb.WALReplayStatus{}, nil }
