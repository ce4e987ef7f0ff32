// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// scrape is one answer of /metrics.
type scrape map[string]*dto.MetricFamily

func (p *program) scrape() scrape {
	p.t.Helper()
	_, body := p.page("/metrics", "")
	return parse(p.t, body)
}

func parse(t *testing.T, text []byte) scrape {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("/metrics does not parse: %v", err)
	}
	return families
}

func labelsOf(m *dto.Metric) map[string]string {
	labels := map[string]string{}
	for _, pair := range m.GetLabel() {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}

// value is the one sample that has these labels among its own, given as name,
// value, name, value.
func (s scrape) value(name string, labels ...string) (float64, bool) {
	found, v := 0, 0.0
	for _, m := range s[name].GetMetric() {
		have, fits := labelsOf(m), true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && have[labels[i]] == labels[i+1]
		}
		if fits {
			found++
			v = m.GetGauge().GetValue() + m.GetCounter().GetValue() // the one it is not is 0
		}
	}
	return v, found == 1
}

// sum is an error unless the samples with a label add up to more than a bound.
func (s scrape) sum(above float64, name, label, value string) error {
	var sum float64
	for _, m := range s[name].GetMetric() {
		if labelsOf(m)[label] == value {
			sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	if sum <= above {
		return fmt.Errorf("the sum of %s is %v", name, sum)
	}
	return nil
}

// usage is one family of usage, by key.
func (s scrape) usage(t *testing.T, name string) map[usage.Key]usage.BusyIdle[float64] {
	t.Helper()
	all := map[usage.Key]usage.BusyIdle[float64]{}
	for _, m := range s[name].GetMetric() {
		l := labelsOf(m)
		if len(l) != 5 {
			t.Errorf("%s has labels %v", name, l)
		}
		key := usage.Key{Project: l["project"], Machine: l["machine"], User: l["user"], Group: l["group"]}
		v := all[key]
		switch l["mode"] {
		case "busy":
			v.Busy += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		case "idle":
			v.Idle += m.GetGauge().GetValue() + m.GetCounter().GetValue()
		default:
			t.Errorf("%s has mode %q", name, l["mode"])
		}
		all[key] = v
	}
	return all
}

var states = []string{"settled", "provisional", "unpriced", "empty", "missing"}

func (s scrape) states() (map[string]int, error) {
	n := map[string]int{}
	for _, state := range states {
		v, ok := s.value("carbon_intervals", "state", state)
		if !ok {
			return nil, fmt.Errorf("no carbon_intervals of state %s", state)
		}
		n[state] = int(v)
	}
	return n, nil
}

// whole says whether every interval of a span is fetched, and priced if it must.
func (s scrape) whole(over span, priced bool) error {
	n, err := s.states()
	if err != nil {
		return err
	}
	have := n["settled"] + n["provisional"]
	if !priced {
		have += n["unpriced"]
	}
	if want := len(over.intervals()); have != want || n["missing"]+n["empty"] != 0 {
		return fmt.Errorf("intervals by state: %v, want %d", n, want)
	}
	return nil
}

// becomesWhole waits until all of a span is fetched and priced.
func (p *program) becomesWhole(over span) scrape {
	p.t.Helper()
	var last scrape
	eventually(p.t, waitFor, "every interval is priced", func() error {
		last = p.scrape()
		return last.whole(over, true)
	})
	return last
}

// becomesFetched waits until all of a span is fetched.
func (p *program) becomesFetched(over span) scrape {
	p.t.Helper()
	var last scrape
	eventually(p.t, waitFor, "every interval is fetched", func() error {
		last = p.scrape()
		return last.whole(over, false)
	})
	return last
}

// says waits for a sample of a value above a bound.
func (p *program) says(above float64, name string, labels ...string) {
	p.t.Helper()
	eventually(p.t, waitFor, fmt.Sprintf("%s%q is above %v", name, labels, above), func() error {
		v, ok := p.scrape().value(name, labels...)
		if !ok {
			return errors.New("it is not there")
		}
		if v <= above {
			return fmt.Errorf("it is %v", v)
		}
		return nil
	})
}

// checkUsage compares every key of the three families with the truth.
func (s scrape) checkUsage(t *testing.T, want map[usage.Key]amount) {
	t.Helper()
	s.checkFamily(t, "carbon_cpu_seconds", want, func(a amount) usage.BusyIdle[float64] { return a.CPU })
	s.checkFamily(t, "carbon_energy_kwh", want, func(a amount) usage.BusyIdle[float64] { return a.KWh })
	s.checkFamily(t, "carbon_emissions_gco2eq", want, func(a amount) usage.BusyIdle[float64] { return a.Grams })
}

func (s scrape) checkFamily(t *testing.T, name string, want map[usage.Key]amount, of func(amount) usage.BusyIdle[float64]) {
	t.Helper()
	got := s.usage(t, name)
	for key, a := range want {
		w, g := of(a), got[key]
		if !near(g.Busy, w.Busy, exact) || !near(g.Idle, w.Idle, exact) {
			t.Errorf("%s of %v is %v, truth %v", name, key, g, w)
		}
	}
	for key := range got {
		if _, known := want[key]; !known {
			t.Errorf("%s has %v, whom nobody knows", name, key)
		}
	}
}

// exact is how near what is read comes to the truth where rates are constant.
const exact = 1e-6

// lines are the samples of some families as they stand in an exposition.
func (p *program) lines(families ...string) string {
	p.t.Helper()
	_, body := p.page("/metrics", "")
	var kept []string
	for line := range strings.Lines(string(body)) {
		for _, family := range families {
			if strings.HasPrefix(line, family+"{") || strings.HasPrefix(line, family+" ") {
				kept = append(kept, line)
			}
		}
	}
	return strings.Join(kept, "")
}
