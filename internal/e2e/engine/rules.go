// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// Rules are rules from files, evaluated by Eval.
type Rules struct {
	groups []*rules.Group
}

// Rules reads files of rules.
func (e *Engine) Rules(files ...string) (*Rules, error) {
	m := rules.NewManager(&rules.ManagerOptions{
		QueryFunc:    rules.EngineQueryFunc(e.query, e.db),
		NotifyFunc:   func(context.Context, string, ...*rules.Alert) {},
		Context:      context.Background(),
		AppendableV2: e.db, Queryable: e.db, Logger: e.logger, Registerer: prometheus.NewRegistry(),
		Parser: e.parser,
	})
	loaded, errs := m.LoadGroups(time.Minute, labels.EmptyLabels(), "", nil, false, files...)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	r := &Rules{}
	for _, g := range loaded {
		r.groups = append(r.groups, g)
		for _, rule := range g.Rules() {
			if alert, ok := rule.(*rules.AlertingRule); ok {
				alert.SetRestored(true) // otherwise it waits for a restore
			}
		}
	}
	slices.SortFunc(r.groups, func(a, b *rules.Group) int {
		return strings.Compare(rules.GroupKey(a.File(), a.Name()), rules.GroupKey(b.File(), b.Name()))
	})
	return r, nil
}

// Eval evaluates all rules as of a time: the series ALERTS, and recorded series.
func (r *Rules) Eval(ctx context.Context, at time.Time) error {
	for _, g := range r.groups {
		g.Eval(ctx, at)
		for _, rule := range g.Rules() {
			if err := rule.LastError(); err != nil {
				return err
			}
		}
	}
	return nil
}
