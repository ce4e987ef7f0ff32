// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// keptFormats are those that a page has whole.
func keptFormats(e *Exposition) []expfmt.Format {
	p := e.page.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.kept))
}

// TestOnlyWhatIsAskedForIsKept: what Prometheus asks for is there before the first scrape, another
// format from the first time it is asked for, and until nobody has asked for it for a while.
func TestOnlyWhatIsAskedForIsKept(t *testing.T) {
	at := now
	e := NewExposition(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), func() time.Time { return at })
	hold := func(when string, want ...expfmt.Format) {
		t.Helper()
		if got := keptFormats(e); !slices.Equal(got, want) {
			t.Errorf("%s: keeps %q, want %q", when, got, want)
		}
	}
	show := func() { e.Show(usageOf(day())) }
	show()
	hold("before the first scrape", openMetrics)
	get(t, e, "Accept: "+acceptOfPrometheus, "Accept-Encoding: gzip")
	get(t, e, "Accept: "+acceptOfPrometheus)
	hold("after it", openMetrics)
	get(t, e)
	hold("somebody looked", openMetrics, plainText)
	at = at.Add(wanted)
	get(t, e, "Accept: "+acceptOfPrometheus)
	show()
	hold("a little later", openMetrics, plainText)
	at = at.Add(time.Second)
	show()
	hold("nobody looks any more", openMetrics)
	at = at.Add(time.Hour)
	show()
	hold("nor scrapes", openMetrics)
	get(t, e)
	at = at.Add(time.Hour)
	show()
	hold("only people look", plainText)
}

// TestFewFormatsAreKept: a client may name formats and escapings at will.
func TestFewFormatsAreKept(t *testing.T) {
	e := exposition(day())
	for _, format := range []string{
		"text/plain;version=0.0.4", "text/plain;version=1.0.0", "application/openmetrics-text;version=1.0.0", "application/openmetrics-text;version=0.0.1",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=compact-text",
	} {
		for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values", "none", "other"} {
			for _, coding := range []string{"gzip", "identity"} {
				resp := get(t, e, fmt.Sprintf("Accept: %s;escaping=%s", format, escaping), "Accept-Encoding: "+coding)
				if text := read(t, resp.Body); resp.StatusCode != http.StatusOK || len(text) < 1000 {
					t.Errorf("%s %s %s: status %d, %d bytes", format, escaping, coding, resp.StatusCode, len(text))
				}
			}
		}
	}
	if got := keptFormats(e); len(got) != 3 {
		t.Errorf("keeps %q", got)
	}
}

// TestRenderedOnce: scrapes of one snapshot share the bytes, which are whole when it is shown.
func TestRenderedOnce(t *testing.T) {
	e := exposition(cloud(10))
	of := func() *byte { return &e.page.Load().kept[openMetrics].r.blocks[0][0] }
	first := of()
	for range 3 {
		get(t, e, "Accept: "+acceptOfPrometheus)
	}
	if of() != first {
		t.Error("rendered again by a scrape")
	}
	e.Show(usageOf(day()))
	if of() == first {
		t.Error("the next snapshot has the bytes of the last")
	}
}

// TestTooLargeToBeKept: what is not kept is the same, rendered for each scrape.
func TestTooLargeToBeKept(t *testing.T) {
	kept, large := exposition(cloud(300)), NewExposition(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), clock)
	large.MostKept = 1000
	if size := large.Show(usageOf(cloud(300))); size.Text != 0 || size.Zipped != 0 || size.Samples < 4200 {
		t.Errorf("its size is %+v", size)
	}
	for _, accept := range []string{acceptOfPrometheus, "text/plain"} {
		for _, coding := range []string{"gzip", "identity"} {
			want, got := get(t, kept, "Accept: "+accept, "Accept-Encoding: "+coding), get(t, large, "Accept: "+accept, "Accept-Encoding: "+coding)
			a, b := read(t, want.Body), read(t, got.Body)
			if coding == "gzip" {
				a, b = unzip(t, a), unzip(t, b)
			}
			if a != b || strings.Contains(accept, "openmetrics") != strings.HasSuffix(b, "# EOF\n") {
				t.Errorf("%s, %s: %d bytes, kept %d", accept, coding, len(b), len(a))
			}
			for _, name := range []string{"Content-Type", "Content-Encoding", "Vary"} {
				if want.Header.Get(name) != got.Header.Get(name) {
					t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want.Header.Get(name))
				}
			}
		}
	}
	for f, m := range large.page.Load().kept {
		if m.r != nil {
			t.Errorf("%s is kept", f)
		}
	}
}

// TestSumsWhicheverLabelsThereAre: what is left out is added up.
func TestSumsWhicheverLabelsThereAre(t *testing.T) {
	sums := func(fold usage.Fold) map[string]float64 {
		s := cloud(60)
		s.Fold = fold
		all := map[string]float64{}
		for name, f := range gathered(t, usageOf(s)) {
			for _, m := range f.Metric {
				all[name+label(m, "mode")] += value(m)
				for label, out := range map[string]bool{"project": fold.Project, "machine": fold.Machine, "user": fold.User, "group": fold.Group} {
					if name == "carbon_energy_kwh" && out != (labelOf(m, label) == nil) {
						t.Errorf("%+v: %s has %v", fold, name, m.Label)
					}
				}
			}
		}
		return all
	}
	want := sums(usage.Fold{})
	for n := range 16 {
		fold := usage.Fold{Project: n&1 > 0, Machine: n&2 > 0, User: n&4 > 0, Group: n&8 > 0}
		got := sums(fold)
		if len(got) != len(want) {
			t.Errorf("%+v: %d families, want %d", fold, len(got), len(want))
		}
		for name, v := range want {
			if math.Abs(got[name]-v) > 1e-9*math.Abs(v) {
				t.Errorf("%+v: %s is %v, want %v", fold, name, got[name], v)
			}
		}
	}
}

// TestGoneKeysStayInSums: a sum does not fall when one of its keys leaves.
func TestGoneKeysStayInSums(t *testing.T) {
	s := day()
	s.Fold = usage.Fold{Project: true, Machine: true, User: true, Group: true}
	before := samples(gathered(t, usageOf(s)))
	s.Totals[1].Last = s.Since.Add(-time.Hour)
	if d := differ(samples(gathered(t, usageOf(s))), before); d != "" {
		t.Error(d)
	}
	s.Totals[0].Last = s.Since.Add(-time.Hour)
	s.Newest.Interval.Start = s.Since.Add(-24 * time.Hour)
	if got := samples(gathered(t, usageOf(s))); has(got, "carbon_energy_kwh") || has(got, "carbon_power_watts") {
		t.Error("what nobody has used for so long is still there")
	}
}
