// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
)

// The queries of a day as the exporter asked until it read counters.
const (
	increases = `sum by (cloud_project_name, machine_name, instance, user) (increase(node_cpu_seconds_total{%s,mode=~"user|nice|system|irq|softirq"}[30m]))`
	idles     = `sum by (cloud_project_name, machine_name, instance, user) (increase(node_cpu_seconds_total{%s,mode=~"idle|iowait"}[30m]))`
	capacity  = `label_replace(count by (cloud_project_name, machine_name, instance, user) (count by (cloud_project_name, machine_name, instance, user, cpu) (count_over_time(node_cpu_seconds_total{%[1]s,mode="idle",cpu!=""}[30m]))), "carbon_exporter_part", "cores", "", "")` +
		` or label_replace(max by (cloud_project_name, machine_name, instance, user) (count by (cloud_project_name, machine_name, instance, user, cpu) (node_cpu_seconds_total{%[1]s,mode="idle",cpu!=""})), "carbon_exporter_part", "copies", "", "")` +
		` or label_replace(sum by (cloud_project_name, machine_name, instance, user) (max by (cloud_project_name, machine_name, instance, user, cpu, mode) (increase(node_cpu_seconds_total{%[1]s,mode!~"user|nice|system|irq|softirq|idle|iowait",cpu!=""}[30m]))), "carbon_exporter_part", "other", "", "")`
)

// BenchmarkEngine measures what a day of 200 hosts of 8 cores costs Prometheus: the CPU time
// of its engine and API, and the bytes of its answers, beside the three queries by increase()
// of the same day. The ratios are ours over theirs.
func BenchmarkEngine(b *testing.B) {
	for _, bm := range []struct {
		name     string
		troubled int // hosts of which one thing happens to each in the day
	}{{"calm", 0}, {"one in twenty is troubled", 10}} {
		b.Run(bm.name, func(b *testing.B) {
			w := day(200, bm.troubled)
			s := open(b, w, noOptions, nil)
			intervals := halfHours(48)
			matcher := fmt.Sprintf(`world=%q`, w.Machines[0].Labels["world"])
			var former []asked
			for _, q := range []string{increases, idles, capacity} {
				former = append(former, asked{http.MethodPost, "/api/v1/query_range", url.Values{
					"query": {fmt.Sprintf(q, matcher)}, "step": {"1800"},
					"start": {fmt.Sprint(intervals[0].End().Unix())}, "end": {fmt.Sprint(intervals[47].End().Unix())},
				}})
			}
			var ours []asked
			s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				ours = append(ours, asked{r.Method, r.URL.Path, r.Form})
				next.ServeHTTP(w, r)
			})
			s.read(b, intervals)
			next := s.Answers
			replay(b, next, former) // whatever is done once
			replay(b, next, ours)

			var cpu, was time.Duration
			var size, wasSize int
			for b.Loop() {
				c, n := replay(b, next, ours)
				cpu, size = cpu+c, size+n
				c, n = replay(b, next, former)
				was, wasSize = was+c, wasSize+n
			}
			n := float64(b.N)
			b.ReportMetric(cpu.Seconds()/n, "cpu-s")
			b.ReportMetric(was.Seconds()/n, "former-cpu-s")
			b.ReportMetric(cpu.Seconds()/was.Seconds(), "cpu-ratio")
			b.ReportMetric(float64(size)/n, "bytes")
			b.ReportMetric(float64(size)/float64(wasSize), "bytes-ratio")
			b.ReportMetric(float64(len(ours)), "requests")
			b.ReportMetric(0, "ns/op") // of both together
		})
	}
}

// day is a day of hosts scraped all minute, whose load changes with each half hour, in
// hundredths of a second as in /proc/stat.
func day(hosts, troubled int) *worlds.World {
	random := rand.New(rand.NewPCG(1, 2))
	w := newWorld()
	w.From, w.To = minutes(-10), 24*time.Hour+5*time.Minute
	for i := range hosts {
		m := linux(fmt.Sprintf("172.16.%d.%d:9100", i/200, i%200))
		m.Project, m.User, m.Cores, m.Skew, m.Uptime = fmt.Sprint("project-", i%9), fmt.Sprint("user-", i%70), 8, 0, time.Duration(1+random.IntN(2000))*time.Hour
		for half := range 48 {
			busy := random.Float64() * random.Float64()
			m.Phases = append(m.Phases, worlds.Phase{At: minutes(30 * float64(half)), Load: worlds.Load{
				"user": busy * 0.7, "nice": busy * 0.01, "system": busy * 0.2, "irq": busy * 0.03, "softirq": busy * 0.05, "steal": busy * 0.01, "iowait": (1 - busy) * 0.02, "idle": (1 - busy) * 0.98,
			}})
		}
		if i < troubled {
			m.Phases[20].Boot = i%2 == 0
			m.Phases[20].Labels = map[string]string{"pod": "new"}
		}
		s := worlds.Scrape{Every: time.Minute, Offset: time.Duration(random.IntN(60000)) * time.Millisecond}
		s.See = func(_ int, _ string, _ time.Duration, v float64) float64 { return math.Round(v*100) / 100 }
		if i < troubled && i%3 == 0 {
			away(300+float64(i), 310+float64(i))(&s)
		}
		w.Machines = append(w.Machines, scraped(m, s))
	}
	return w
}

// asked is a request that can be made again.
type asked struct {
	method, path string
	form         url.Values
}

func (a asked) request() *http.Request {
	if a.method == http.MethodGet {
		return httptest.NewRequest(a.method, a.path+"?"+a.form.Encode(), nil)
	}
	r := httptest.NewRequest(a.method, a.path, strings.NewReader(a.form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// replay makes requests one after the other and returns the CPU time of the answers, garbage
// collection included, and their size.
func replay(b *testing.B, h http.Handler, all []asked) (cpu time.Duration, size int) {
	b.Helper()
	runtime.GC()
	before := spent(b)
	for _, a := range all {
		answer := &counted{ResponseRecorder: httptest.NewRecorder()}
		h.ServeHTTP(answer, a.request())
		if answer.Code != http.StatusOK {
			b.Fatalf("%s: http status %d: %.300s", a.form, answer.Code, answer.Body)
		}
		size += answer.bytes
	}
	return spent(b) - before, size
}

// counted counts the bytes of an answer, and keeps its beginning.
type counted struct {
	*httptest.ResponseRecorder
	bytes int
}

func (c *counted) Write(p []byte) (int, error) {
	if c.bytes += len(p); c.Body.Len() < 1000 {
		return c.ResponseRecorder.Write(p)
	}
	return len(p), nil
}

func (c *counted) WriteString(s string) (int, error) { return c.Write([]byte(s)) }

func (c *counted) ReadFrom(r io.Reader) (int64, error) {
	var all bytes.Buffer
	n, err := all.ReadFrom(r)
	_, _ = c.Write(all.Bytes()) // never fails
	return n, err
}

// spent is the CPU time of this process so far.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
