// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package survey

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// labels asks about every label of the series.
func (x *exploration) labels(ctx context.Context) error {
	names, err := x.labelNames(ctx, selector(x.metric, x.few))
	if err != nil {
		return err
	}
	for _, name := range names {
		l, err := x.labelOf(ctx, x.metric, x.few, name)
		switch {
		case err != nil && (ctx.Err() != nil || len(x.unasked) >= maxUnasked):
			return err
		case err != nil:
			x.unasked = append(x.unasked, x.Upstream.Failed("label "+name, err).Error())
		case l.Values > 0:
			x.found.Labels = append(x.found.Labels, l)
		}
	}
	if x.profile == ProfileKubernetes && x.found.Label(namespace) == nil {
		x.found.Unread = "it has no label namespace: no profile is for a container engine without Kubernetes"
	}
	return nil
}

// labelMachines counts the machines that have each label.
func (x *exploration) labelMachines(ctx context.Context) error {
	e := &x.found
	for i := range e.Labels {
		l, err := &e.Labels[i], error(nil)
		if e.Host == "" {
			return nil
		}
		series := selector(x.metric, x.few, with(l.Name))
		if l.Machines, err = x.count(ctx, distinct(series, e.Host)); err != nil {
			return err
		}
		if len(e.Jobs) > 1 && l.Name != e.Host {
			if l.Jobs, err = x.byJob(ctx, series); err != nil {
				return err
			}
		}
	}
	return nil
}

// info adds the labels by which target_info says more of each machine.
func (x *exploration) info(ctx context.Context) error {
	e := &x.found
	if x.profile != ProfileOpenTelemetry || e.Host != "instance" || !slices.Contains(x.there, targetInfo) {
		return nil
	}
	names, err := x.labelNames(ctx, selector(targetInfo))
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "job" || e.Label(name) != nil {
			continue
		}
		l, err := x.labelOf(ctx, targetInfo, "", name)
		if err == nil && l.Values > 0 {
			l.Info = targetInfo
			l.Machines, err = x.count(ctx, distinct(selector(targetInfo, with(name)), e.Host))
			e.Labels = append(e.Labels, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// labelNames lists the labels to ask about: those whose names are likely to matter come first, because
// some servers list the labels of all their series.
func (x *exploration) labelNames(ctx context.Context, series string) ([]string, error) {
	names, err := x.list(ctx, "api/v1/labels", series)
	if usage.IsPermanent(err) { // the server has no such list
		names, err = x.sampled(ctx, series)
	}
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(notAsked, name) || x.joined && !x.needs(name)
	})
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return names[:min(len(names), maxLabels)], nil
}

// sampled lists the labels of a few series.
func (a *Asker) sampled(ctx context.Context, series string) ([]string, error) {
	all, err := a.query(ctx, a.URL, fmt.Sprintf("topk(%d, %s)", maxNamed, series))
	labels := map[string]bool{}
	for _, one := range all {
		for name := range one.Metric {
			labels[name] = true
		}
	}
	return slices.Collect(maps.Keys(labels)), err
}

// needs reports whether a label matters although other metrics say whose the usage is.
func (k known) needs(label string) bool {
	return label == "job" || label == namespace || slices.Contains(k.machineLabels(), label)
}

// rank is lower for a label that is more likely to matter.
func rank(label string) int {
	if i := slices.Index(hostNames, label); i >= 0 {
		return i
	}
	for part := Project; part <= User; part++ {
		if Likeness(part, label) > 0 {
			return len(hostNames)
		}
	}
	return len(hostNames) + 1
}

// labelOf asks how many values a label has, on how many series, and for some of them.
func (a *Asker) labelOf(ctx context.Context, metric, few, name string) (Label, error) {
	l := Label{Name: name}
	series := selector(metric, few, with(name))
	var err error
	if l.Series, err = a.count(ctx, "count("+series+")"); err != nil || l.Series == 0 {
		return l, err
	}
	if l.Values, err = a.count(ctx, distinct(series, name)); err != nil {
		return l, err
	}
	all, err := a.query(ctx, a.URL, fmt.Sprintf("topk(%d, %s)", maxExamples, by(series, name)))
	if err != nil {
		return l, err
	}
	slices.SortFunc(all, func(a, b instant) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.Metric[name], b.Metric[name]))
	})
	for _, one := range all {
		l.Examples = append(l.Examples, a.Upstream.Text(one.Metric[name]))
	}
	return l, nil
}
