// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package openmetrics

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 3, 12, 0, 0, 0, time.UTC)

var energy = Family{
	Name: "carbon_energy_kwh", Type: Gauge, Unit: "kwh", Help: "Energy used.", Labels: []string{"project", "mode"},
}

// must fails the test with the first error.
func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func written(t *testing.T, write func(*Writer)) string {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	write(w)
	must(t, w.Close())
	return out.String()
}

func TestTheWholeFormat(t *testing.T) {
	got := written(t, func(w *Writer) {
		must(t,
			w.Family(energy),
			w.Series("ISIS", "busy"),
			w.Sample(0.006, noon),
			w.Sample(1.5, noon.Add(30*time.Minute)),
			w.Series("ISIS", "idle"),
			w.Sample(2, noon.Add(-30*time.Minute)),
			w.Series("TDAaaS", "busy"),
			w.Family(Family{Name: "carbon_settled_emissions_gco2eq", Type: Counter, Unit: "gco2eq", Help: `Says "final"\, in` + "\ntwo lines."}),
			w.Series(),
			w.Sample(1234567.25, noon.Add(250*time.Millisecond)),
			w.Family(Family{Name: "carbon_pue_ratio", Type: Gauge}),
		)
	})
	want := `# TYPE carbon_energy_kwh gauge
# UNIT carbon_energy_kwh kwh
# HELP carbon_energy_kwh Energy used.
carbon_energy_kwh{project="ISIS",mode="busy"} 0.006 1767441600
carbon_energy_kwh{project="ISIS",mode="busy"} 1.5 1767443400
carbon_energy_kwh{project="ISIS",mode="idle"} 2 1767439800
# TYPE carbon_settled_emissions_gco2eq counter
# UNIT carbon_settled_emissions_gco2eq gco2eq
# HELP carbon_settled_emissions_gco2eq Says \"final\"\\, in\ntwo lines.
carbon_settled_emissions_gco2eq_total 1.23456725e+06 1767441600.25
# TYPE carbon_pue_ratio gauge
# EOF
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := written(t, func(*Writer) {}); got != "# EOF\n" {
		t.Errorf("nothing is %q", got)
	}
}

func TestLabelValues(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"plain", "ISIS", `"ISIS"`},
		{"empty", "", `""`},
		{"a quote", `the "big" one`, `"the \"big\" one"`},
		{"a backslash", `C:\n`, `"C:\\n"`},
		{"a new line", "two\nlines", `"two\nlines"`},
		{"other characters stay", "Zoë\t{a=\"b\"} 1 2 # EOF", "\"Zoë\t{a=\\\"b\\\"} 1 2 # EOF\""},
		{"invalid UTF-8", "a\xffb\xf0\x9f", "\"a\ufffdb\ufffd\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := written(t, func(w *Writer) {
				must(t, w.Family(Family{Name: "x", Type: Gauge, Labels: []string{"l"}}), w.Series(c.value), w.Sample(1, noon))
			})
			if want := "# TYPE x gauge\nx{l=" + c.want + "} 1 1767441600\n# EOF\n"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestValuesAndTimes(t *testing.T) {
	for _, c := range []struct {
		name  string
		value float64
		at    time.Time
		want  string
	}{
		{"nothing", 0, noon, "0 1767441600"},
		{"shortest form", 0.30000000000000004, noon, "0.30000000000000004 1767441600"},
		{"a fall", -2.5, noon, "-2.5 1767441600"},
		{"the least", math.SmallestNonzeroFloat64, noon, "5e-324 1767441600"},
		{"the most", math.MaxFloat64, noon, "1.7976931348623157e+308 1767441600"},
		{"the epoch", 1, time.Unix(0, 0), "1 0"},
		{"a millisecond", 1, noon.Add(time.Millisecond), "1 1767441600.001"},
		{"a tenth", 1, noon.Add(100 * time.Millisecond), "1 1767441600.1"},
		{"another zone, the same moment", 1, noon.In(time.FixedZone("", 3600)), "1 1767441600"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := written(t, func(w *Writer) {
				must(t, w.Family(Family{Name: "x", Type: Gauge}), w.Series(), w.Sample(c.value, c.at))
			})
			if want := "# TYPE x gauge\nx " + c.want + "\n# EOF\n"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestNothingIsWrittenBehindTheEnd(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	must(t, w.Family(energy), w.Series("a", "busy"), w.Close())
	if w.Sample(1, noon) == nil || w.Close() == nil || !strings.HasSuffix(out.String(), "# EOF\n") {
		t.Errorf("wrote on: %q", out.String())
	}
}

// full takes so many bytes and no more.
type full int

func (f *full) Write(p []byte) (int, error) {
	if len(p) > int(*f) {
		return 0, io.ErrShortWrite
	}
	*f -= full(len(p))
	return len(p), nil
}

func TestAFullDisk(t *testing.T) {
	for name, room := range map[string]full{"at once": 10, "in the midst": 200 << 10} {
		t.Run(name, func(t *testing.T) {
			w := NewWriter(&room)
			must(t, w.Family(energy), w.Series("a", "busy"))
			for n := range 10_000 {
				if err := w.Sample(1, noon.Add(time.Duration(n)*time.Second)); err != nil {
					break
				}
			}
			if err := w.Close(); !errors.Is(err, io.ErrShortWrite) || !strings.HasPrefix(err.Error(), "openmetrics: write: ") {
				t.Errorf("got %v", err)
			}
		})
	}
}
