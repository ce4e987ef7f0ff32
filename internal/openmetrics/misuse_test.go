// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package openmetrics

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestMisuse(t *testing.T) {
	counter := Family{Name: "c", Type: Counter}
	for _, c := range []struct {
		name  string
		write func(*Writer) error
		want  string
	}{
		{"a family twice", func(w *Writer) error { return errors.Join(w.Family(counter), w.Family(energy), w.Family(counter)) }, `family "c": was already written`},
		{"a gauge called like a counter's samples", func(w *Writer) error { return w.Family(Family{Name: "c_total", Type: Gauge}) }, `family "c_total": must not end in _total; samples of a counter get it`},
		{"no name", func(w *Writer) error { return w.Family(Family{Name: "kWh used", Type: Gauge}) }, `family "kWh used": is not a valid metric name`},
		{"no type", func(w *Writer) error { return w.Family(Family{Name: "x"}) }, `family "x": type "": must be gauge or counter`},
		{"a unit that the name lacks", func(w *Writer) error { return w.Family(Family{Name: "energy", Type: Gauge, Unit: "kwh"}) }, `family "energy": must end in its unit, _kwh`},
		{"no name of a label", func(w *Writer) error { return w.Family(Family{Name: "x", Type: Gauge, Labels: []string{"a-b"}}) }, `family "x": label "a-b": is not a valid label name`},
		{"Prometheus' own label", func(w *Writer) error {
			return w.Family(Family{Name: "x", Type: Gauge, Labels: []string{"__name__"}})
		}, `family "x": label "__name__": is not a valid label name`},
		{"a label twice", func(w *Writer) error {
			return w.Family(Family{Name: "x", Type: Gauge, Labels: []string{"a", "b", "a"}})
		}, `family "x": label "a": is a duplicate`},
		{"a series of nothing", func(w *Writer) error { return w.Series() }, "series: before any family"},
		{"too few values", func(w *Writer) error { return errors.Join(w.Family(energy), w.Series("ISIS")) }, "series 1 of carbon_energy_kwh: has 1 values for 2 labels"},
		{"a series twice", func(w *Writer) error {
			return errors.Join(w.Family(energy), w.Series("a", "busy"), w.Series("b", "busy"), w.Series("b", "busy"))
		}, "series 3 of carbon_energy_kwh: is the same as the previous one"},
		{"series that do not ascend", func(w *Writer) error {
			return errors.Join(w.Family(energy), w.Series("b", "busy"), w.Series("a", "idle"))
		}, "series 2 of carbon_energy_kwh: is not in ascending order"},
		{"a second series without labels", func(w *Writer) error { return errors.Join(w.Family(counter), w.Series(), w.Series()) }, "series 2 of c: is the same as the previous one"},
		{"two that are one without what is invalid", func(w *Writer) error {
			return errors.Join(w.Family(energy), w.Series("a\xfe", "busy"), w.Series("a\xff", "busy"))
		}, "series 2 of carbon_energy_kwh: differs from the previous one only in invalid UTF-8"},
		{"a sample of nothing", func(w *Writer) error { return w.Sample(1, noon) }, "sample at 2026-01-03T12:00:00Z: before any series"},
		{"a sample of the family before", func(w *Writer) error {
			return errors.Join(w.Family(counter), w.Series(), w.Family(energy), w.Sample(1, noon))
		}, "sample at 2026-01-03T12:00:00Z: before any series"},
		{"a time twice", func(w *Writer) error {
			return errors.Join(w.Family(counter), w.Series(), w.Sample(1, noon), w.Sample(1, noon))
		}, "sample of series 1 of c at 2026-01-03T12:00:00Z: is not after 2026-01-03T12:00:00Z"},
		{"a time that goes back", func(w *Writer) error {
			return errors.Join(w.Family(counter), w.Series(), w.Sample(1, noon), w.Sample(1, noon.Add(-time.Hour)))
		}, "sample of series 1 of c at 2026-01-03T11:00:00Z: is not after 2026-01-03T12:00:00Z"},
		{"a time that Prometheus would round", func(w *Writer) error {
			return errors.Join(w.Family(counter), w.Series(), w.Sample(1, noon.Add(time.Microsecond)))
		}, "sample of series 1 of c at 2026-01-03T12:00:00.000001Z: is not at a whole millisecond"},
		{"no time", func(w *Writer) error { return errors.Join(w.Family(counter), w.Series(), w.Sample(1, time.Time{})) }, "sample of series 1 of c at 0001-01-01T00:00:00Z: is before 1970"},
		{"no number", func(w *Writer) error { return errors.Join(w.Family(counter), w.Series(), w.Sample(math.NaN(), noon)) }, "sample of series 1 of c at 2026-01-03T12:00:00Z: is NaN"},
		{"more than any number", func(w *Writer) error { return errors.Join(w.Family(counter), w.Series(), w.Sample(math.Inf(1), noon)) }, "sample of series 1 of c at 2026-01-03T12:00:00Z: is +Inf"},
		{"a counter below nothing", func(w *Writer) error { return errors.Join(w.Family(counter), w.Series(), w.Sample(-1, noon)) }, "sample of series 1 of c at 2026-01-03T12:00:00Z: is -1 in a counter"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewWriter(&out)
			err := c.write(w)
			if err == nil || err.Error() != "openmetrics: "+c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if w.Close() == nil || w.Family(Family{Name: "next", Type: Gauge}) == nil || w.Series() == nil || w.Sample(1, noon) == nil {
				t.Error("a later call succeeds")
			}
			if strings.Contains(out.String(), "EOF") {
				t.Error("it has an end")
			}
		})
	}
}
