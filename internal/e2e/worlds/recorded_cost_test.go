// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/source"
)

// BenchmarkRecorded measures what a day of 40 hosts of 8 cores costs Prometheus by the raw way, and
// by way of the recording rules: the CPU time and the samples of the exporter's questions, the most
// samples that one of them needs at once, and what the rules cost themselves. It is read at once, as
// a backfill does, and half hour by half hour. Ratios are of the rules' way over the raw way.
func BenchmarkRecorded(b *testing.B) {
	s := alone(b, day(40, 0))
	before := spent(b)
	s.recordRules(b, nil)
	evaluated := spent(b) - before
	for _, bm := range []struct {
		name   string
		atOnce int
	}{{"a day at once", 48}, {"half hour by half hour", 1}} {
		b.Run(bm.name, func(b *testing.B) {
			of := func(ask func(*source.Query)) (all []asked) {
				s.client = clientOf(b, s.World, s.Server, ask)
				s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
					all = append(all, asked{r.Method, r.URL.Path, r.Form})
					next.ServeHTTP(w, r)
				})
				for some := range slices.Chunk(halfHours(48), bm.atOnce) {
					s.read(b, some)
				}
				replay(b, s.Answers, all) // whatever is done once
				return all
			}
			raw, recorded := of(func(*source.Query) {}), of(askRecorded)
			rawSamples, rawPeak := samplesOf(b, s.Answers, raw)
			samples, most := samplesOf(b, s.Answers, recorded)
			var cpu, was time.Duration
			for b.Loop() {
				c, _ := replay(b, s.Answers, raw)
				was += c
				c, _ = replay(b, s.Answers, recorded)
				cpu += c
			}
			n := float64(b.N)
			b.ReportMetric(was.Seconds()/n, "raw-cpu-s")
			b.ReportMetric(cpu.Seconds()/n, "recorded-cpu-s")
			b.ReportMetric(cpu.Seconds()/was.Seconds(), "cpu-ratio")
			b.ReportMetric(float64(rawSamples), "raw-samples")
			b.ReportMetric(float64(samples)/float64(rawSamples), "samples-ratio")
			b.ReportMetric(float64(rawPeak), "raw-peak")
			b.ReportMetric(float64(most)/float64(rawPeak), "peak-ratio")
			b.ReportMetric(evaluated.Seconds(), "rules-cpu-s")
			b.ReportMetric(0, "ns/op") // of both together
		})
	}
}

var samplesIn = regexp.MustCompile(`"totalQueryableSamples":([0-9]+)`)

// samplesOf is how many samples the engine looks at for some requests, and the most that it holds at
// once.
func samplesOf(b *testing.B, h http.Handler, all []asked) (sum, most int) {
	b.Helper()
	number := func(of *regexp.Regexp, text string) int {
		found := of.FindStringSubmatch(text)
		if found == nil {
			b.Fatalf("no statistics in %.300s", text)
		}
		n, err := strconv.Atoi(found[1])
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	for _, a := range all {
		a.form.Set("stats", "true")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, a.request())
		a.form.Del("stats")
		sum += number(samplesIn, answer.Body.String())
		most = max(most, number(peak, answer.Body.String()))
	}
	return sum, most
}
