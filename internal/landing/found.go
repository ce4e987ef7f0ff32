// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// loud is what comes before everything else: there is no usage.
type loud struct {
	Title, Text, Do string
	About           usage.Topic // of the notice that it says; empty: of none
}

// loud says that nothing was found, and why as far as it is known; nil: something was.
func (k Known) loud() *loud {
	l := &loud{Title: "Nothing found yet", Do: "Run carbontool doctor: it asks every source that is configured and says what to change."}
	if why := k.notice(usage.TopicUsage); why != "" {
		l.Text, l.About = why, usage.TopicUsage
		if k.recent() != nil {
			l.Title = "Nothing found any more"
		}
		return l
	}
	if k.recent() != nil {
		return nil
	}
	prometheus := k.part(usage.TopicPrometheus)
	var states map[usage.State]int
	if k.Numbers != nil {
		states = k.Numbers.States
	}
	switch {
	case prometheus.Bad:
		l.Title, l.Text = "Nothing found yet: Prometheus does not answer", "Prometheus is "+prometheus.State+"."
		if why := k.notice(usage.TopicPrometheus); why != "" {
			l.Text, l.About = why, usage.TopicPrometheus
		}
	case states[usage.Empty] > 0:
		l.Text = fmt.Sprintf("Prometheus answers, and has no CPU seconds of any host in %s.", count(states[usage.Empty], "interval", "intervals"))
	case !prometheus.Asked:
		l.Text, l.Do = "Prometheus was not asked yet: the exporter has just started.", ""
	default:
		l.Text, l.Do = fmt.Sprintf("Prometheus is being asked: %s not fetched yet.", count(states[usage.Missing], "interval is", "intervals are")), ""
	}
	return l
}

// notice is what is said about a topic; empty: nothing.
func (k Known) notice(about usage.Topic) string {
	for _, n := range k.Notices {
		if n.About == about {
			return escape.Line(n.Text)
		}
	}
	return ""
}

func (k Known) part(about usage.Topic) Part {
	for _, p := range k.Parts {
		if p.About == about {
			return p
		}
	}
	return Part{}
}

// foundView is what was there in the newest interval.
type foundView struct{ When, Text string }

// found says in a sentence which machines were there; nil: nobody counted.
func (k Known) found() *foundView {
	if k.Numbers == nil || k.Numbers.Attended == nil || k.Numbers.Attended.Attendance == nil {
		return nil
	}
	at := k.Numbers.Attended
	when := "Found"
	if ago := k.Now.Sub(at.Interval.End()); ago > k.Late {
		when = "Found " + span(ago) + " ago"
	}
	var hosts, cores int
	for _, p := range at.Attendance.Present {
		hosts, cores = hosts+p.Hosts, cores+p.Cores
	}
	interpolated, refused := sum(at.Attendance.ByReason(usage.HostInterpolated)), sum(at.Attendance.ByReason(usage.HostRefused))
	text := count(hosts, "machine", "machines")
	if cores > 0 {
		text += " with " + count(cores, "core", "cores")
	}
	text += " in " + count(len(at.Attendance.Present), "project", "projects") + ": "
	text += fmt.Sprintf("%s exact, %s interpolated, %s refused.", grouped(max(int64(hosts)-interpolated-refused, 0)), grouped(interpolated), grouped(refused))
	var seen, capacity usage.CPUSeconds
	for _, c := range at.Coverage {
		seen, capacity = seen+c.Seen, capacity+c.Capacity
	}
	if capacity > 0 {
		text += " " + percent(float64(seen/capacity)) + " of their CPU time was seen."
	}
	return &foundView{when, text}
}

func sum(hosts map[usage.DoubtReason]int) (n int64) {
	for _, of := range hosts {
		n += int64(of)
	}
	return n
}
