// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"io"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// render writes everything but the end marker of an exposition (# EOF). What is wrong with single
// metrics is not an error here: they are left out.
func (u *Usage) render(w io.Writer, format expfmt.Format) error {
	others, _ := u.others.Gather() // see check
	switch format.FormatType() {
	case expfmt.TypeTextPlain, expfmt.TypeOpenMetrics:
		t := &text{to: w, openMetrics: format.FormatType() == expfmt.TypeOpenMetrics}
		return u.renderText(t, others)
	default:
		enc := expfmt.NewEncoder(w, format)
		return u.each(others, func(f *dto.MetricFamily) error { return enc.Encode(f) }, func(k *keyed) error {
			return enc.Encode(k.metrics())
		})
	}
}

func (u *Usage) renderText(t *text, others []*dto.MetricFamily) error {
	labels := map[*columns]*labels{}
	for _, k := range u.families {
		if labels[k.columns] == nil {
			labels[k.columns] = k.columns.labels()
		}
	}
	err := u.each(others, func(f *dto.MetricFamily) (err error) {
		if t.openMetrics {
			_, err = expfmt.MetricFamilyToOpenMetrics(t, f)
		} else {
			_, err = expfmt.MetricFamilyToText(t, f)
		}
		return err
	}, func(k *keyed) error {
		t.head(k.family)
		return t.samples(k, labels[k.columns])
	})
	return t.flush(err)
}

// Write appends what is written otherwise.
func (t *text) Write(p []byte) (int, error) {
	t.buf = append(t.buf, p...)
	if len(t.buf) < textBuffer {
		return len(p), nil
	}
	return len(p), t.flush(nil)
}

// each calls one of two functions for each family, by name.
func (u *Usage) each(others []*dto.MetricFamily, other func(*dto.MetricFamily) error, one func(*keyed) error) error {
	rest := others
	for i := range u.families {
		k := &u.families[i]
		for len(rest) > 0 && rest[0].GetName() < k.name {
			if err := other(rest[0]); err != nil {
				return err
			}
			rest = rest[1:]
		}
		if err := one(k); err != nil {
			return err
		}
	}
	for _, f := range rest {
		if err := other(f); err != nil {
			return err
		}
	}
	return nil
}

// metrics makes the metrics of a family, as protobuf needs them.
func (k *keyed) metrics() *dto.MetricFamily {
	kind := k.kind()
	f := &dto.MetricFamily{Name: &k.name, Help: &k.help, Type: &kind}
	k.runs(func(run []int32) {
		for i, col := range k.column {
			for _, r := range run {
				v, ok := col.at(r)
				if !ok {
					continue
				}
				m := &dto.Metric{Label: k.pairs(nil, k.before, r)}
				if k.modes != nil {
					m.Label = append(m.Label, &dto.LabelPair{Name: new("mode"), Value: (*string)(&k.modes[i])})
				}
				m.Label = k.pairs(m.Label, k.after, r)
				if k.counter {
					m.Counter = &dto.Counter{Value: &v}
				} else {
					m.Gauge = &dto.Gauge{Value: &v}
				}
				f.Metric = append(f.Metric, m)
			}
		}
	})
	return f
}

func (c *columns) pairs(pairs []*dto.LabelPair, labels []named, row int32) []*dto.LabelPair {
	for i := range labels {
		pairs = append(pairs, &dto.LabelPair{Name: &labels[i].name, Value: labels[i].of(&c.keys[row])})
	}
	return pairs
}

// Gather implements prometheus.Gatherer. It makes a metric for each sample, which takes much
// memory; scrapes in text don't.
func (u *Usage) Gather() ([]*dto.MetricFamily, error) {
	others, err := u.others.Gather()
	for i := range u.families {
		others = append(others, u.families[i].metrics())
	}
	slices.SortFunc(others, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return others, joined(err, u.wrong)
}

// check returns how many samples there are, and what is left out of them.
func (u *Usage) check() (samples int, wrong error) {
	others, err := u.others.Gather()
	for _, f := range others {
		samples += len(f.Metric)
	}
	for i := range u.families {
		samples += u.families[i].samples()
	}
	return samples, joined(err, u.wrong)
}

func joined(all ...error) error {
	var errs prometheus.MultiError
	for _, err := range all {
		errs.Append(err)
	}
	return errs.MaybeUnwrap()
}
