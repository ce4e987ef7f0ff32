// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// fleet is what a Prometheus has scraped. It answers the questions about counters as Prometheus
// would.
type fleet struct {
	series []*scraped
}

// scraped is one series as it was scraped.
type scraped struct {
	labels string // of the host, as JSON members
	host   string
	set    string // labels for attribution, as JSON members
	cpu    string // without the label if it is "-"
	mode   string
	points
}

// machine is a host under one label set, as one scraper sees it.
type machine struct {
	fleet      *fleet
	host       string
	project    string   // ISIS if it is ""
	more       string   // more labels, as JSON members with a comma before each
	cpus       []string // 0 and so on
	every      float64  // seconds
	series     map[string]*scraped
	user, idle map[string]float64 // counters by cpu
}

// machine adds a host with some cores, whose counters are at so many seconds each.
func (f *fleet) machine(host string, cores int, counter float64) *machine {
	m := &machine{fleet: f, host: host, every: 60, series: map[string]*scraped{}, user: map[string]float64{}, idle: map[string]float64{}}
	for i := range cores {
		cpu := strconv.Itoa(i)
		m.cpus = append(m.cpus, cpu)
		m.user[cpu], m.idle[cpu] = counter/4, counter-counter/4
	}
	return m
}

// clone is another label set or scraper of the same machine.
func (m *machine) clone(more string) *machine {
	other := *m
	other.more, other.series = more, map[string]*scraped{}
	other.user, other.idle = maps.Clone(m.user), maps.Clone(m.idle)
	return &other
}

// minute is Unix seconds of a minute after noon.
func minute(n float64) float64 { return float64(noon.Unix()) + 60*n }

// runs scrapes it from one minute after noon up to another, a quarter busy.
func (m *machine) runs(from, to float64) *machine {
	last := minute(from)
	for at := last; at <= minute(to); at += m.every {
		m.grow(at - last)
		m.scrape(at)
		last = at
	}
	return m
}

// unseen lets it run for some minutes without a scrape.
func (m *machine) unseen(minutes float64) *machine {
	m.grow(60 * minutes)
	return m
}

func (m *machine) grow(seconds float64) {
	for _, cpu := range m.cpus {
		m.user[cpu] += seconds / 4
		m.idle[cpu] += seconds - seconds/4
	}
}

// boots sets its counters to 0.
func (m *machine) boots() *machine { return m.shifts(math.Inf(-1)) }

// shifts moves its counters by some seconds each, half of them busy.
func (m *machine) shifts(by float64) *machine {
	for _, cpu := range m.cpus {
		m.user[cpu], m.idle[cpu] = max(m.user[cpu]+by/2, 0), max(m.idle[cpu]+by/2, 0)
	}
	return m
}

func (m *machine) scrape(at float64) {
	for _, cpu := range m.cpus {
		for mode, v := range map[string]float64{"user": m.user[cpu], "idle": m.idle[cpu]} {
			s := m.series[cpu+mode]
			if s == nil {
				set := fmt.Sprintf(`"cloud_project_name":%q,"machine_name":"Muon","instance":%q,"user":"ada"`, cmp.Or(m.project, "ISIS"), m.host)
				if m.project == "-" {
					set = fmt.Sprintf(`"instance":%q`, m.host)
				}
				s = &scraped{host: m.host, set: set, labels: m.more, cpu: cpu, mode: mode}
				m.series[cpu+mode] = s
				m.fleet.series = append(m.fleet.series, s)
			}
			s.at, s.v = append(s.at, at), append(s.v, v)
		}
	}
}

// newest is the newest sample within the look-back at a time. A NaN is a stale marker.
func (s *scraped) newest(at float64) (i int, ok bool) {
	i, found := slices.BinarySearch(s.at, at)
	if !found {
		i--
	}
	return i, i >= 0 && s.at[i] > at-lookBack && !math.IsNaN(s.v[i])
}

func (s *scraped) value(at float64) (float64, bool) {
	i, ok := s.newest(at)
	if !ok {
		return 0, false
	}
	return s.v[i], true
}

// between reports whether it has a sample in (from, to].
func (s *scraped) between(from, to float64) bool {
	first, _ := slices.BinarySearch(s.at, math.Nextafter(from, to))
	for i := first; i < len(s.at) && s.at[i] <= to; i++ {
		if !math.IsNaN(s.v[i]) {
			return true
		}
	}
	return false
}

var (
	asksFor = regexp.MustCompile(`instance=~"((?:[^"\\]|\\.)*)"`)
	window  = regexp.MustCompile(`\[([0-9a-z]+)(?::([0-9a-z]+))?\]`)
)

func (f *fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.FormValue("query")
	number := func(name string) float64 {
		v, _ := strconv.ParseFloat(r.FormValue(name), 64)
		return v
	}
	wanted := f.series
	if m := asksFor.FindStringSubmatch(query); m != nil {
		pattern, _ := strconv.Unquote(`"` + m[1] + `"`)
		hosts := regexp.MustCompile("^(?:" + pattern + ")$")
		wanted = nil
		for _, s := range f.series {
			if hosts.MatchString(s.host) {
				wanted = append(wanted, s)
			}
		}
	}
	if strings.Contains(query, sums) {
		left := regexp.MustCompile("^" + sums + "$")
		wanted = slices.DeleteFunc(slices.Clone(wanted), func(s *scraped) bool { return left.MatchString(s.cpu) })
	}
	var length, step float64
	if m := window.FindStringSubmatch(query); m != nil {
		length, step = inSeconds(m[1]), inSeconds(m[2])
	}
	var times []float64
	for at, each := number("start"), number("step"); each > 0 && at <= number("end"); at += each {
		times = append(times, at)
	}
	var answer map[string]points
	switch kindOf(query) {
	case ofCounters:
		answer = added(wanted, times, strings.Contains(query, "max by"))
	case ofCores:
		answer = counted(wanted, times, length)
	case ofSeen:
		answer = seen(wanted, times)
	case ofSpread:
		answer = apart(wanted, times)
	case ofTimes:
		answer = stamped(wanted, times)
	case ofRaw:
		answer = samples(wanted, number("time")-length, number("time"))
	case ofFolded:
		at := number("time")
		times = nil
		for t := (math.Floor((at-length)/step) + 1) * step; t <= at; t += step {
			times = append(times, t)
		}
		answer = added(wanted, times, false)
	}
	var list []string
	for labels := range answer { // in any order
		list = append(list, `{"metric":{`+labels+`},"values":[`+answer[labels].json()+`]}`)
	}
	io.WriteString(w, matrix(list...))
}

func inSeconds(duration string) float64 {
	d, _ := model.ParseDuration(duration)
	return time.Duration(d).Seconds()
}

func (p points) json() string {
	list := make([]string, len(p.at))
	for i := range p.at {
		list[i] = fmt.Sprintf(`[%s,"%s"]`, strconv.FormatFloat(p.at[i], 'f', 3, 64), strconv.FormatFloat(p.v[i], 'f', -1, 64))
	}
	return strings.Join(list, ",")
}

func added(all []*scraped, times []float64, once bool) map[string]points {
	answer := map[string]points{}
	for _, at := range times {
		each, total := map[string]float64{}, map[string]float64{}
		for i, s := range all {
			if v, ok := s.value(at); ok {
				name := fmt.Sprint(i)
				if once {
					name = s.set + s.cpu + s.mode
				}
				labels := s.set + `,"mode":"` + s.mode + `"`
				total[labels] += max(v, each[name]) - each[name]
				each[name] = max(v, each[name])
			}
		}
		put(answer, at, total)
	}
	return answer
}

// put adds a point to every series.
func put(answer map[string]points, at float64, values map[string]float64) {
	for labels, v := range values {
		p := answer[labels]
		answer[labels] = points{append(p.at, at), append(p.v, v)}
	}
}

func counted(all []*scraped, times []float64, length float64) map[string]points {
	answer := map[string]points{}
	for _, at := range times {
		cores, n := map[string]bool{}, map[string]float64{}
		for _, s := range all {
			if s.mode == "idle" && s.cpu != "-" && !cores[s.set+s.cpu] && s.between(at-length, at) {
				cores[s.set+s.cpu] = true
				n[s.set]++
			}
		}
		put(answer, at, n)
	}
	return answer
}

func seen(all []*scraped, times []float64) map[string]points {
	answer := map[string]points{}
	for _, at := range times {
		n := map[string]float64{}
		for _, s := range all {
			if _, ok := s.value(at); ok {
				n[fmt.Sprintf(`"instance":%q`, s.host)]++
			}
		}
		put(answer, at, n)
	}
	return answer
}

func stamped(all []*scraped, times []float64) map[string]points {
	answer := map[string]points{}
	for _, at := range times {
		newest := map[string]float64{}
		for _, s := range all {
			if i, ok := s.newest(at); ok {
				labels := fmt.Sprintf(`"instance":%q`, s.host)
				newest[labels] = max(newest[labels], s.at[i])
			}
		}
		put(answer, at, newest)
	}
	return answer
}

func apart(all []*scraped, times []float64) map[string]points {
	answer := map[string]points{}
	for _, at := range times {
		least, most, n := map[string]float64{}, map[string]float64{}, map[string]float64{}
		for _, s := range all {
			v, ok := s.value(at)
			if !ok {
				continue
			}
			labels := fmt.Sprintf(`"instance":%q`, s.host)
			name := labels + s.cpu + s.mode
			if _, ok := least[name]; !ok {
				least[name], most[name] = v, v
			}
			least[name], most[name] = min(v, least[name]), max(v, most[name])
			n[labels] = max(n[labels], most[name]-least[name])
		}
		put(answer, at, n)
	}
	return answer
}

func samples(all []*scraped, from, to float64) map[string]points {
	answer := map[string]points{}
	for _, s := range all {
		labels := s.set + s.labels + `,"mode":"` + s.mode + `"`
		if s.cpu != "-" {
			labels += `,"cpu":"` + s.cpu + `"`
		}
		for i, at := range s.at {
			if at > from && at <= to && !math.IsNaN(s.v[i]) {
				p := answer[labels]
				answer[labels] = points{append(p.at, at), append(p.v, s.v[i])}
			}
		}
	}
	return answer
}
