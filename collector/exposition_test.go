// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// acceptOfPrometheus is what Prometheus 3 sends with every scrape.
const acceptOfPrometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
	"application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4," +
	"text/plain;version=0.0.4;q=0.3,*/*;q=0.2"

func TestFormats(t *testing.T) {
	e := exporter(t)
	want := samples(parse(t, body(t, e)))
	for _, test := range []struct {
		name, accept, contentType string
	}{
		{"nothing asked for", "", "text/plain; version=0.0.4; charset=utf-8"},
		{"a browser", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text/plain; version=0.0.4; charset=utf-8"},
		{"text", "text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8"},
		{"what nobody knows", "application/x-unknown", "text/plain; version=0.0.4; charset=utf-8"},
		{"not even a media type", ";;;,,=", "text/plain; version=0.0.4; charset=utf-8"},
		{"Prometheus 3", acceptOfPrometheus, "application/openmetrics-text; version=1.0.0; charset=utf-8"},
		{"OpenMetrics of old", "application/openmetrics-text;version=0.0.1", "application/openmetrics-text; version=0.0.1; charset=utf-8"},
		{
			"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," + acceptOfPrometheus,
			"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
		},
	} {
		for _, coding := range []string{"identity", "gzip"} {
			t.Run(test.name+" "+coding, func(t *testing.T) {
				resp := get(t, e, "Accept: "+test.accept, "Accept-Encoding: "+coding)
				if resp.StatusCode != http.StatusOK {
					t.Fatalf("status %d", resp.StatusCode)
				}
				if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, test.contentType) {
					t.Errorf("Content-Type is %q, want %q", got, test.contentType)
				}
				if got := resp.Header.Get("Vary"); got != "Accept, Accept-Encoding" {
					t.Errorf("Vary is %q", got)
				}
				coded := read(t, resp.Body)
				if got := resp.Header.Get("Content-Length"); got != strconv.Itoa(len(coded)) {
					t.Errorf("Content-Length is %s, want %d", got, len(coded))
				}
				text := coded
				if coding == "gzip" {
					text = unzip(t, coded)
				}
				if got := resp.Header.Get("Content-Encoding") == "gzip"; got != (coding == "gzip") {
					t.Errorf("Content-Encoding is %q", resp.Header.Get("Content-Encoding"))
				}
				if ends := strings.HasSuffix(text, "\n# EOF\n"); ends != strings.Contains(test.contentType, "openmetrics") {
					t.Errorf("ends with # EOF: %v", ends)
				}
				if n := strings.Count(text, "# EOF"); n > 1 {
					t.Errorf("# EOF %d times", n)
				}
				var got map[string]float64
				if strings.Contains(test.contentType, "protobuf") {
					got = samples(decode(t, text))
				} else {
					got = samples(parse(t, text))
				}
				if strings.Contains(test.contentType, "openmetrics") {
					got, want := withoutHistograms(got), withoutHistograms(want)
					if d := differ(got, want); d != "" {
						t.Error(d)
					}
					return
				}
				if d := differ(got, want); d != "" {
					t.Error(d)
				}
			})
		}
	}
}

// withoutHistograms: the parser reads an OpenMetrics histogram like any other,
// and le="1.0" there is le="1" in text.
func withoutHistograms(all map[string]float64) map[string]float64 {
	rest := map[string]float64{}
	for name, v := range all {
		if !strings.Contains(name, "_duration_seconds") {
			rest[name] = v
		}
	}
	return rest
}

func decode(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	families := map[string]*dto.MetricFamily{}
	dec := expfmt.NewDecoder(strings.NewReader(text), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		var f dto.MetricFamily
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			return families
		}
		if err != nil {
			t.Fatal(err)
		}
		families[f.GetName()] = &f
	}
}

func unzip(t *testing.T, coded string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(coded))
	if err != nil {
		t.Fatal(err)
	}
	return read(t, z)
}

// TestOneGzipMember: curl and browsers read the first member of a gzip stream
// and no further, so the kept snapshot and the live metrics are one.
func TestOneGzipMember(t *testing.T) {
	e := exporter(t)
	coded := bufio.NewReader(get(t, e, "Accept-Encoding: gzip").Body)
	z, err := gzip.NewReader(coded)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	text := read(t, z) // its checksum and length are compared here
	if got, want := samples(parse(t, text)), samples(parse(t, body(t, e))); len(differ(got, want)) > 0 {
		t.Errorf("the first member is not the plain text: %s", differ(got, want))
	}
	if _, err := coded.ReadByte(); err != io.EOF {
		t.Errorf("there is more behind it: %v", err)
	}
}

func TestAcceptEncoding(t *testing.T) {
	e := exposition(day())
	for _, test := range []struct {
		name   string
		header []string
		gzip   bool
	}{
		{"no header", nil, false},
		{"gzip", []string{"gzip"}, true},
		{"in other letters", []string{"GZip"}, true},
		{"among others", []string{"deflate, gzip;q=1.0, *;q=0.5"}, true},
		{"in a second line", []string{"deflate", "gzip"}, true},
		{"hardly wanted", []string{"gzip;q=0.05"}, true},
		{"never", []string{"gzip;q=0"}, false},
		{"never, with three digits", []string{"identity, gzip; q=0.000"}, false},
		{"a weight that is none", []string{"gzip;q=much"}, false},
		{"another coding", []string{"zstd, br"}, false},
		{"a name that only begins so", []string{"gzipped"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			var headers []string
			for _, h := range test.header {
				headers = append(headers, "Accept-Encoding: "+h)
			}
			resp := get(t, e, headers...)
			if got := resp.Header.Get("Content-Encoding") == "gzip"; got != test.gzip {
				t.Errorf("gzip: %v, want %v", got, test.gzip)
			}
		})
	}
}

func TestSnapshotsFollowEachOther(t *testing.T) {
	e := NewExposition(prometheus.NewRegistry(), slog.New(slog.DiscardHandler), clock)
	if got := body(t, e); got != "" {
		t.Errorf("shows %q before the first snapshot", got)
	}
	formats := [][]string{{"Accept: text/plain"}, {"Accept: " + acceptOfPrometheus}, {"Accept-Encoding: gzip"}}
	for _, watts := range []float64{12, 13, 12} {
		s := day()
		s.Ratings[0].Watts.Busy = 0
		s.PUE = watts
		e.Show(usageOf(s))
		for range 2 { // rendered, then kept
			for _, headers := range formats {
				resp := get(t, e, headers...)
				text := read(t, resp.Body)
				if resp.Header.Get("Content-Encoding") == "gzip" {
					text = unzip(t, text)
				}
				if got := parse(t, text)["carbon_pue_ratio"].Metric[0]; value(got) != watts {
					t.Errorf("%s: shows %v, want %v", headers, value(got), watts)
				}
			}
		}
	}
}

func TestLiveMetricsThatFail(t *testing.T) {
	var said strings.Builder
	e := NewExposition(prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("out of order") }),
		slog.New(slog.NewTextHandler(&said, nil)), clock)
	resp := get(t, e, "Accept-Encoding: gzip")
	text := read(t, resp.Body)
	if resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("Content-Encoding") != "" {
		t.Errorf("status %d, encoding %q", resp.StatusCode, resp.Header.Get("Content-Encoding"))
	}
	if !strings.Contains(text, "out of order") || !strings.Contains(said.String(), "out of order") {
		t.Errorf("says %q, logs %q", text, said.String())
	}
}

func TestHead(t *testing.T) {
	server := httptest.NewServer(exposition(day()))
	defer server.Close()
	resp, err := server.Client().Head(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength <= 0 || read(t, resp.Body) != "" {
		t.Errorf("status %d, length %d", resp.StatusCode, resp.ContentLength)
	}
}
