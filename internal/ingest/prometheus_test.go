// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/simulate/scraped"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// prometheus has scraped hosts that used what a truth says of each half hour, evenly. It answers
// within its limits.
type prometheus struct {
	truth     func(usage.Interval) truth
	fault     func(form url.Values) (status int, body string) // nil or status 0: none
	most      int                                             // pieces a query about all hosts; 0: any
	retention time.Time                                       // nothing is known from before
	heard     func(*http.Request)                             // told of every question
	asked     int

	site site
}

type truth = map[usage.Series]usage.BusyIdle[usage.CPUSeconds]

func (p *prometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.asked++
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if p.heard != nil {
		p.heard(r)
	}
	if p.fault != nil {
		if status, body := p.fault(r.Form); status != 0 {
			w.WriteHeader(status)
			io.WriteString(w, body)
			return
		}
	}
	from, to := asked(r.Form)
	if over, ok := run(r.Form); ok && p.most > 0 && over.To.Sub(over.From) > time.Duration(p.most*int(number(r.Form, "step")))*time.Second {
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return
	}
	p.site.learn(p.truth, from, to)
	(&scraped.Server{Hosts: p.site.hosts(), Retention: p.retention}).ServeHTTP(w, r)
}

// asked returns the time that a question is about.
func asked(form url.Values) (from, to time.Time) {
	if form.Has("time") {
		to = time.Unix(int64(number(form, "time")), 0).UTC()
		return to.Add(-5 * time.Hour), to // no window is longer
	}
	if !form.Has("start") {
		return start, start // of now, which is none of the truth's
	}
	return time.Unix(int64(number(form, "start")), 0).UTC(), time.Unix(int64(number(form, "end")), 0).UTC()
}

// run returns the run of pieces for which the counters of all hosts are asked: the question is
// for one piece more at either end.
func run(form url.Values) (over usage.Period, ok bool) {
	if !form.Has("step") || !strings.HasPrefix(form.Get("query"), "sum by") {
		return usage.Period{}, false
	}
	over.From, over.To = asked(form)
	step := time.Duration(number(form, "step")) * time.Second
	return usage.Period{From: over.From.Add(step), To: over.To.Add(-step)}, true
}

// touches reports whether a question is about a run with some of the time in [from, to).
func touches(form url.Values, from, to time.Time) bool {
	over, ok := run(form)
	return ok && over.From.Before(to) && over.To.After(from)
}

// site makes counters of a truth: what each host had used by the end of each half hour.
type site struct {
	first time.Time
	slots []truth
	open  map[usage.Series]*life // the newest of each series
	lives []*life
}

// life is a row of half hours in which a host is there.
type life struct {
	host *scraped.Host
	used []usage.BusyIdle[usage.CPUSeconds] // since it booted, at the beginning and by the end of each
}

// end is when what is known ends.
func (s *site) end() time.Time { return s.first.Add(time.Duration(len(s.slots)) * usage.SlotLength) }

// learn makes sure that what is known of a time is the truth, which tests change.
func (s *site) learn(of func(usage.Interval) truth, from, to time.Time) {
	slot := func(at time.Time) truth { return of(usage.Interval{Start: at, Length: usage.SlotLength}) }
	from = usage.SlotAt(from.Add(-2 * time.Hour))
	anew := s.slots == nil || from.Before(s.first)
	for at := from; !anew && at.Before(usage.Earlier(to, s.end())); at = at.Add(usage.SlotLength) {
		anew = !maps.Equal(slot(at), s.slots[at.Sub(s.first)/usage.SlotLength])
	}
	if anew {
		until := usage.Later(to, s.end())
		if s.slots == nil || from.Before(s.first) {
			s.first = from.Add(-48 * time.Hour)
		}
		*s = site{first: s.first, open: map[usage.Series]*life{}}
		to = usage.Later(to, until)
	}
	for s.end().Before(to) {
		s.add(slot(s.end()))
	}
}

// add adds the truth of a half hour.
func (s *site) add(slot truth) {
	begin, end := s.end(), s.end().Add(usage.SlotLength)
	for series, cpu := range slot {
		l := s.open[series]
		if l == nil || l.host.End.Before(begin) {
			l = newLife(series, begin, cpu)
			if len(s.slots) == 0 {
				l.used[0].Idle += usage.CPUSeconds(float64(l.host.Cores) * 30 * 24 * 3600) // it is older
			}
			s.open[series] = l
			s.lives = append(s.lives, l)
		}
		l.host.End = end
		l.used = append(l.used, l.used[len(l.used)-1].Plus(cpu))
	}
	s.slots = append(s.slots, slot)
}

func newLife(series usage.Series, begin time.Time, cpu usage.BusyIdle[usage.CPUSeconds]) *life {
	l := &life{used: make([]usage.BusyIdle[usage.CPUSeconds], 1)}
	cores := int(math.Round(float64(cpu.Busy+cpu.Idle) / usage.SlotLength.Seconds()))
	l.host = &scraped.Host{Series: series, Cores: max(cores, 1), Modes: []string{"user", "idle", "steal"}, Begin: begin}
	l.host.Counter = func(_ int, mode string, at time.Time) float64 {
		since := at.Sub(begin)
		n := min(int(since/usage.SlotLength), len(l.used)-2)
		part := usage.CPUSeconds((since - time.Duration(n)*usage.SlotLength).Seconds() / usage.SlotLength.Seconds())
		busy := l.used[n].Busy + (l.used[n+1].Busy-l.used[n].Busy)*part
		idle := l.used[n].Idle + (l.used[n+1].Idle-l.used[n].Idle)*part
		cores := usage.CPUSeconds(l.host.Cores)
		switch mode {
		case "user":
			return float64(busy / cores)
		case "idle":
			return float64(idle / cores)
		}
		return since.Seconds() - float64((busy+idle-l.used[0].Idle)/cores)
	}
	return l
}

func (s *site) hosts() []*scraped.Host {
	var all []*scraped.Host
	for _, l := range s.lives {
		all = append(all, l.host)
	}
	return all
}

func number(form url.Values, name string) float64 {
	v, err := strconv.ParseFloat(form.Get(name), 64)
	if err != nil {
		panic(err)
	}
	return v
}
