// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// Multitude answers as a Prometheus would that has scraped very many hosts, each with a machine
// type or user of its own, so that each is a key. It knows the shapes of the queries that are
// asked of it, not PromQL, and computes an answer while it writes it: it needs no memory and
// little time, so that whoever measures a client does not measure the server.
type Multitude struct {
	Hosts, Users, Projects int
	Machines               int // types
	Pad                    int // bytes that are added to each project's name

	once  sync.Once
	names []string // of each host: its labels as JSON, without the mode
}

// multitudeModes are the modes of node_exporter, and which share of the busy or idle time each has.
var multitudeModes = []struct {
	name  string
	busy  bool
	share float64
}{
	{"idle", false, 0.97},
	{"iowait", false, 0.02},
	{"irq", true, 0.01},
	{"nice", true, 0.02},
	{"softirq", true, 0.02},
	{"steal", false, 0.01},
	{"system", true, 0.25},
	{"user", true, 0.7},
}

// multitudeCores are the cores of each host.
const multitudeCores = 8

// ServeHTTP implements http.Handler.
func (m *Multitude) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.once.Do(m.learn)
	out := bufio.NewWriterSize(w, 1<<16)
	defer out.Flush()
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/values") {
		_, _ = io.WriteString(out, `{"status":"success","data":[]}`)
		return
	}
	start, err1 := millis(r, "start")
	end, err2 := millis(r, "end")
	step, err3 := millis(r, "step")
	kind := "matrix"
	if r.URL.Path != "/api/v1/query_range" || err1 != nil || err2 != nil || err3 != nil {
		start, end, step, kind = 0, -1, 1, "vector"
	}
	fmt.Fprintf(out, `{"status":"success","data":{"resultType":%q,"result":[`, kind)
	defer func() { _, _ = io.WriteString(out, "]}}") }() // the client may have gone
	if end < start {
		return
	}
	var moments []moment
	for at := start; at <= end; at += step {
		moments = append(moments, moment{at: at, text: fmt.Sprintf(`[%s,"`, strconv.FormatFloat(float64(at)/1000, 'f', -1, 64))})
	}
	switch query := r.FormValue("query"); {
	case strings.HasPrefix(query, "sum by") && strings.Contains(query, cpuMetric):
		m.counters(out, moments)
	case strings.HasPrefix(query, "count by") && strings.Contains(query, "count_over_time"):
		m.constant(out, moments, func(moment) string { return strconv.Itoa(multitudeCores) })
	case strings.Contains(query, "timestamp("):
		m.constant(out, moments, func(at moment) string { return strconv.FormatFloat(float64(at.at)/1000-7, 'f', -1, 64) })
	}
}

type moment struct {
	at   int64  // milliseconds
	text string // how its point begins
}

func (m *Multitude) learn() {
	m.names = make([]string, m.Hosts)
	pad := strings.Repeat("x", m.Pad)
	for i := range m.names {
		m.names[i] = fmt.Sprintf(`"instance":"10.%d.%d.%d:9100","machine_name":"machine-%d","cloud_project_name":"project-%d%s","user":"user-%d"`,
			i>>16, i>>8&255, i&255, i%m.Machines, i%m.Projects, pad, i%m.Users)
	}
}

// counters writes the CPU seconds of each host by mode.
func (m *Multitude) counters(out *bufio.Writer, moments []moment) {
	var b []byte
	first := true
	for i, labels := range m.names {
		load := 0.1 + 0.8*float64(i*7919%99991)/99991
		for _, mode := range multitudeModes {
			b = b[:0]
			if !first {
				b = append(b, ',')
			}
			first = false
			b = append(append(append(append(b, `{"metric":{`...), labels...), `,"mode":"`...), mode.name...)
			b = append(b, `"},"values":[`...)
			share := mode.share * multitudeCores
			if mode.busy {
				share *= load
			} else {
				share *= 1 - load
			}
			for j, at := range moments {
				if j > 0 {
					b = append(b, ',')
				}
				b = append(b, at.text...)
				cent := math.Round(float64(at.at-1_700_000_000_000) / 10 * share)
				b = strconv.AppendInt(b, int64(cent)/100, 10)
				b = append(b, '.', '0'+byte(int64(cent)/10%10), '0'+byte(int64(cent)%10), '"', ']')
			}
			b = append(b, "]}"...)
			if _, err := out.Write(b); err != nil {
				return // the client has gone
			}
		}
	}
}

// constant writes one series of each host.
func (m *Multitude) constant(out *bufio.Writer, moments []moment, value func(moment) string) {
	var points strings.Builder
	for j, at := range moments {
		if j > 0 {
			points.WriteByte(',')
		}
		fmt.Fprintf(&points, `%s%s"]`, at.text, value(at))
	}
	for i, labels := range m.names {
		if i > 0 {
			_ = out.WriteByte(',') // Flush tells whether the client has gone
		}
		if _, err := fmt.Fprintf(out, `{"metric":{%s},"values":[%s]}`, labels, points.String()); err != nil {
			return
		}
	}
}
