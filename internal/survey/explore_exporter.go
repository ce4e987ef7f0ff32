package survey

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exporter asks for everything about the series of one metric, on a server that has some metrics.
func (a *Asker) exporter(ctx context.Context, k known, there []string) (Exporter, error) {
	if len(k.by) > 0 && !slices.ContainsFunc(k.by, func(metric string) bool { return slices.Contains(there, metric) }) {
		k.joined = false
	}
	e := Exporter{Profile: k.profile, Metric: k.metric, Joined: k.joined, Unread: k.unread, CPU: k.core, Mode: k.mode}
	few := k.few
	var err error
	if e.Series, err = a.count(ctx, "count("+selector(k.metric, few)+")"); err == nil && e.Series == 0 && few != "" && k.alone() {
		few = ""
		e.Series, err = a.count(ctx, "count("+selector(k.metric)+")")
	}
	if err != nil || e.Series == 0 || e.Unread != "" {
		return e, err
	}
	names, err := a.labels(ctx, selector(k.metric, few), k)
	if err != nil {
		return e, err
	}
	for _, name := range names {
		l, err := a.labelOf(ctx, k.metric, few, name)
		if err != nil {
			return e, err
		}
		if l.Values > 0 {
			e.Labels = append(e.Labels, l)
		}
	}
	e.Host = hostOf(e, k)
	if err := a.machines(ctx, &e, k, few); err != nil {
		return e, err
	}
	if k.profile == ProfileOpenTelemetry && e.Host == "instance" && slices.Contains(there, targetInfo) {
		return e, a.info(ctx, &e)
	}
	return e, nil
}

// alone reports whether a metric has one convention.
func (k known) alone() bool {
	return !slices.ContainsFunc(catalogue, func(o known) bool { return o.metric == k.metric && o.mode != k.mode })
}

// info adds the labels by which target_info says more of each machine.
func (a *Asker) info(ctx context.Context, e *Exporter) error {
	names, err := a.labels(ctx, selector(targetInfo), known{})
	if err != nil {
		return err
	}
	for _, name := range names {
		if name == "job" || name == e.Host || e.Label(name) != nil {
			continue
		}
		l, err := a.labelOf(ctx, targetInfo, "", name)
		if err == nil && l.Values > 0 {
			l.Machines, err = a.count(ctx, distinct(selector(targetInfo, with(name)), e.Host))
			l.Info = targetInfo
			e.Labels = append(e.Labels, l)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// labels lists the labels to ask about: those whose names are likely to matter come first, because
// some servers list the labels of all their series.
func (a *Asker) labels(ctx context.Context, match string, k known) ([]string, error) {
	names, err := a.list(ctx, "api/v1/labels", match)
	if usage.IsPermanent(err) { // the server has no such list
		names, err = a.sampled(ctx, match)
	}
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return slices.Contains(notAsked, name) || k.joined && !k.needs(name)
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

// machines asks for what is counted by machine.
func (a *Asker) machines(ctx context.Context, e *Exporter, k known, few string) error {
	all := selector(k.metric, few)
	if e.Host == "" {
		return nil
	}
	var err error
	if e.Machines, err = a.count(ctx, distinct(all, e.Host)); err != nil {
		return err
	}
	if e.Label("job") != nil {
		if e.Jobs, err = a.counts(ctx, by(by(all, "job", e.Host), "job"), "job"); err != nil {
			return err
		}
	}
	if k.core != "" {
		cores := selector(k.metric, few, with(k.core), quoted(k.core)+`!~"(?i:.*total|all)"`)
		if e.Cores, err = a.count(ctx, distinct(cores, e.Host, k.core)); err != nil {
			return err
		}
	}
	for i := range e.Labels {
		l := &e.Labels[i]
		if l.Machines, err = a.count(ctx, distinct(selector(k.metric, few, with(l.Name)), e.Host)); err != nil {
			return err
		}
		if len(e.Jobs) > 1 && l.Name != e.Host {
			if l.Jobs, err = a.counts(ctx, by(by(selector(k.metric, few, with(l.Name)), "job", e.Host), "job"), "job"); err != nil {
				return err
			}
		}
	}
	host := e.Label(e.Host)
	e.Scrape, err = a.scrape(ctx, selector(k.metric, few, is(e.Host, host.Examples[0])))
	return err
}

// scrape measures how often a machine is scraped, by the times of its last samples.
func (a *Asker) scrape(ctx context.Context, series string) (time.Duration, error) {
	var r struct {
		Result []struct {
			Values [][]json.RawMessage `json:"values"`
		} `json:"result"`
	}
	if err := a.get(ctx, "api/v1/query", url.Values{"query": {series + "[11m]"}, "nocache": {"1"}}, &r); err != nil {
		return 0, err
	}
	var apart []float64
	for _, one := range r.Result {
		last := math.NaN()
		for _, sample := range one.Values {
			var at float64
			if len(sample) == 0 || json.Unmarshal(sample[0], &at) != nil {
				return 0, malformed("a sample is no time and value")
			}
			if at > last {
				apart = append(apart, at-last)
			}
			last = at
		}
	}
	if len(apart) == 0 {
		return 0, nil
	}
	slices.Sort(apart)
	return time.Duration(math.Round(apart[len(apart)/2])) * time.Second, nil
}

func largestFirst(a, b Count) int {
	return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
}
