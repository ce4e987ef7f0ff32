// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// maxExporters bounds how many metrics are looked at closely, and maxLabels how many labels
	// of each: three questions for each label, none of which is about more than the series of
	// one mode of one metric.
	maxExporters, maxLabels = 6, 40
	// maxNamed is how many values of a label, jobs or processors are named.
	maxNamed = 20
	// maxUnasked is how many labels may fail before a server is left alone, and longest how long
	// all of it may take.
	maxUnasked = 3
	longest    = 2 * time.Minute
	// maxExamples is how many values of a label are shown.
	maxExamples = 3
	// recent is how far back a list of names and labels goes. Lists know no moment, only ranges.
	recent = time.Hour
)

// Facts asks which CPU time the server has. What a question fails about is left out, and said in
// Facts.Unasked; only without an answer to the first it is an error.
func (a *Asker) Facts(ctx context.Context) (Facts, error) {
	there, err := a.list(ctx, "api/v1/label/__name__/values", anyOf(asked()))
	if err != nil {
		return Facts{}, a.Upstream.Failed("ask which CPU metrics there are", err)
	}
	f := Facts{}
	limited, done := context.WithTimeout(ctx, longest)
	defer done()
	for _, k := range catalogue {
		if !slices.Contains(there, k.metric) || len(f.Exporters) == maxExporters {
			continue
		}
		x := &exploration{Asker: a, known: k, there: there, unasked: f.Unasked}
		err := x.run(limited)
		f.Unasked = x.unasked
		switch {
		case ctx.Err() != nil:
			return Facts{}, ctx.Err()
		case err != nil:
			f.Unasked = append(f.Unasked, a.Upstream.Failed(k.metric, err).Error())
		case x.found.Series > 0:
			f.Exporters = append(f.Exporters, x.found)
		}
	}
	f.Meters = slices.DeleteFunc(Meters(), func(name string) bool { return !slices.Contains(there, name) })
	if slices.Contains(there, processors) {
		f.Processors, _ = a.counts(ctx, by(by(selector(processors, with(processorLabel)), processorLabel, "instance"), processorLabel), processorLabel)
	}
	if !slices.ContainsFunc(f.Exporters, func(e Exporter) bool { return e.Unread == "" }) {
		f.Jobs, _ = a.counts(ctx, by("up", "job"), "job")
		f.Likely = a.likely(ctx)
	}
	return f, ctx.Err()
}

// likely lists metrics whose names look like CPU time.
func (a *Asker) likely(ctx context.Context) []string {
	all, err := a.list(ctx, "api/v1/label/__name__/values", `{__name__=~"(?i:.*cpu.*)"}`)
	if err != nil {
		return nil
	}
	slices.Sort(all)
	return all[:min(len(all), maxNamed)]
}

// list asks for names that there were recently.
func (a *Asker) list(ctx context.Context, path, match string) ([]string, error) {
	now := a.Now()
	params := url.Values{
		"match[]": {match}, "limit": {"10000"},
		"start": {strconv.FormatInt(now.Add(-recent).Unix(), 10)}, "end": {strconv.FormatInt(now.Add(recent).Unix(), 10)}, // clocks differ
	}
	var names []string
	err := a.get(ctx, path, params, &names)
	return names, err
}

// counts returns the largest of what a query gives, with the value of a label.
func (a *Asker) counts(ctx context.Context, query, label string) ([]Count, error) {
	all, err := a.query(ctx, a.URL, fmt.Sprintf("topk(%d, %s)", maxNamed, query))
	if err != nil {
		return nil, err
	}
	counts := make([]Count, 0, len(all))
	for _, one := range all {
		counts = append(counts, Count{Name: a.Upstream.Text(one.Metric[label]), N: int(one.Value)})
	}
	slices.SortFunc(counts, largestFirst)
	return counts, nil
}

func largestFirst(a, b Count) int {
	return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
}

func (a *Asker) count(ctx context.Context, query string) (int, error) {
	n, err := a.number(ctx, query)
	return int(n), err
}
