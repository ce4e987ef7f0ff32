// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
)

// query is PromQL, of all exporters, and how its answer is to be read. Its target asks only the
// chosen ones.
type query struct {
	expr   string
	legend string // of each series
	kind   queryKind
	step   string // the shortest; empty: as the panel is wide
}

type queryKind int

const (
	instant queryKind = iota // the values of now
	ranged                   // over time
	tabled                   // the values of now, labels as columns
)

func now(expr, legend string) query     { return query{expr: expr, legend: legend} }
func over(expr, legend string) query    { return query{expr: expr, legend: legend, kind: ranged} }
func rows(expr string) query            { return query{expr: expr, kind: tabled} }
func (q query) every(step string) query { q.step = step; return q }

func (q query) target(n int) variants.Dataquery {
	b := prometheus.NewDataqueryBuilder().Expr(scoped(q.expr)).RefId(string(rune('A' + n))).Datasource(source)
	switch q.kind {
	case instant:
		b.Instant().LegendFormat(q.legend)
	case ranged:
		b.Range().LegendFormat(q.legend)
	case tabled:
		b.Instant().Format(prometheus.PromQueryFormatTable)
	}
	if q.step != "" {
		b.Interval(q.step)
	}
	return must(b)
}
