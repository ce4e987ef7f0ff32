package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Names are the configured labels.
type Names struct {
	Project, Machine, Host, User string
	// Shares is whether the time of a machine is divided among those who have shares of it, such as
	// pods: these name projects and users then, and many at once.
	Shares bool
}

// part is a label by what it names.
type part struct {
	name   string // of the label
	what   string
	of     func(usage.Series) string
	wants  bool // whether all machines should have it
	shared bool // whether shares of machines name it
}

// parts are those of which the configuration names a label.
func (n Names) parts() []part {
	return slices.DeleteFunc([]part{
		{n.Project, "project", func(s usage.Series) string { return s.Project }, true, n.Shares},
		{n.Machine, "machine", func(s usage.Series) string { return s.Machine }, true, false},
		{n.User, "user", func(s usage.Series) string { return s.User }, false, n.Shares},
	}, func(p part) bool { return p.name == "" })
}

var (
	selected = check{Prometheus, "series"}
	drifted  = check{Prometheus, "drift"}
)

// Machine is one label set of a machine; empty: it does not have the label. Of a machine that was
// there before, Now is false.
type Machine struct {
	usage.Series
	Now bool
}

// Machines lists those of the newest interval and of intervals before it.
func Machines(now []usage.Reading, before ...[]usage.Reading) []Machine {
	all := machinesOf(now, true)
	for _, readings := range before {
		all = append(all, machinesOf(readings, false)...)
	}
	return all
}

func machinesOf(readings []usage.Reading, now bool) (all []Machine) {
	seen := map[usage.Series]bool{}
	add := func(s usage.Series) {
		for _, label := range []*string{&s.Project, &s.Machine, &s.Host, &s.User} {
			if *label == usage.Unknown {
				*label = ""
			}
		}
		if !seen[s] {
			seen[s] = true
			all = append(all, Machine{s, now})
		}
	}
	for _, r := range readings {
		for _, s := range r.Samples {
			add(s.Series)
		}
		for _, d := range r.Doubts {
			if d.State == usage.HostRefused {
				add(d.Series)
			}
		}
	}
	return all
}

// Hosts lists the machines of now, by name.
func Hosts(all []Machine) []string {
	var names []string
	for _, m := range all {
		if m.Now && m.Host != "" {
			names = append(names, m.Host)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Selected is about the series that the configuration selects, by job. instead says what the
// server has of that which was not found; empty: everything was.
func Selected(jobs map[string]int, instead string) []Finding {
	series := 0
	var names []string
	for job, n := range jobs {
		series += n
		names = append(names, fmt.Sprintf("%s (%d)", cmp.Or(job, "none"), n))
	}
	if series == 0 {
		return []Finding{selected.fail("correct what the sentence names, or write a configuration by: carbontool init", "no CPU seconds of any machine: %s", instead)}
	}
	all := []Finding{selected.ok("%d series are selected, by job: %s", series, some(names))}
	if instead != "" {
		all = append(all, selected.warn("correct what the sentence names", "something is not found: %s", instead))
	}
	return all
}

// Labels is about machines without a label, for each label. have are labels that the series have.
// placed are the machines whose project or machine type a directory names; nil: there is no directory.
func Labels(all []Machine, names Names, have []string, placed []directory.Placement) []Finding {
	var findings []Finding
	for _, p := range names.parts() {
		findings = append(findings, lacking(all, p, have, placed))
	}
	return append(findings, withoutHost(all, names.Host))
}

func lacking(all []Machine, p part, have []string, placed []directory.Placement) Finding {
	c := check{Prometheus, "label " + p.what}
	elsewhere := namedBy(placed, p)
	has, lacks := map[string]bool{}, map[string]bool{}
	values := map[string]bool{}
	for _, s := range all {
		switch v := p.of(s.Series); {
		case !s.Now:
		case v != "":
			has[s.Host], values[v] = true, true
		default:
			lacks[s.Host] = true
		}
	}
	maps.DeleteFunc(lacks, func(host string, _ bool) bool { return has[host] })
	whole, said := len(has)+len(lacks), ""
	maps.DeleteFunc(lacks, func(host string, _ bool) bool { return elsewhere[directory.HostName(host)] })
	if n := whole - len(has) - len(lacks); n > 0 {
		said = fmt.Sprintf("; the directory names the %s of %d", p.what, n)
	}
	key := "prometheus.labels." + p.what
	switch {
	case len(lacks) == 0 && !p.shared:
		return c.ok("%d of %d machines have the label %s, %s%s", len(has), whole, p.name, many(len(values), "value"), said)
	case p.shared:
		return c.ok("%d of %d machines have shares with a %s, %s", len(has), whole, p.what, many(len(values), "value"))
	case !p.wants:
		return c.ok("%d of %d machines have the label %s; a directory can say whose the others are", len(has), whole, p.name)
	}
	that := "that they have"
	if len(have) > 0 {
		that += " (" + strings.Join(have[:min(len(have), mostLabels)], ", ") + ")"
	}
	do := fmt.Sprintf("set %s to a label %s, or give them one by relabelling or in the static or discovered targets", key, that)
	if placed != nil {
		do += fmt.Sprintf("; or name their %s in the directory of hosts", p.what)
	}
	return c.warn(do, "%s of %d machines have no label %s and count as unknown (%s), such as %s%s", share(len(lacks), whole), whole, p.name, key, some(slices.Collect(maps.Keys(lacks))[:1]), said)
}

// namedBy are the machines, as directory.HostName calls them, of which a directory says what a
// label would.
func namedBy(placed []directory.Placement, p part) map[string]bool {
	named := map[string]bool{}
	for _, at := range placed {
		if p.of(usage.Series{Project: at.Project, Machine: at.Machine}) != "" {
			named[at.Host] = true
		}
	}
	return named
}

// mostLabels is how many labels are named to choose from.
const mostLabels = 20

func withoutHost(all []Machine, name string) Finding {
	c := check{Prometheus, "label host"}
	hosts := map[string]bool{}
	for _, s := range all {
		if s.Now {
			hosts[s.Host] = true
		}
	}
	if hosts[""] {
		return c.fail("set prometheus.labels.host to a label that each machine has for itself, such as instance",
			"there are series without the label %s, so that machines cannot be told apart (prometheus.labels.host)", name)
	}
	return c.ok("%s by the label %s", many(len(hosts), "machine"), name)
}

// Drift is about labels of machines that are there now, and were others in the last day.
func Drift(all []Machine, names Names) []Finding {
	byHost := map[string][]Machine{}
	for _, s := range all {
		byHost[s.Host] = append(byHost[s.Host], s)
	}
	var findings []Finding
	for _, p := range names.parts() {
		if !p.shared { // those who have shares come and go
			findings = append(findings, driftOf(byHost, p)...)
		}
	}
	if len(findings) == 0 {
		return []Finding{drifted.ok("no machine has changed its labels in the last day")}
	}
	return findings
}

func driftOf(byHost map[string][]Machine, p part) []Finding {
	var lost, twice, changed []string
	somebody := false // has it now
	for host, sets := range byHost {
		now, before := map[string]bool{}, map[string]bool{}
		for _, s := range sets {
			if s.Now {
				now[p.of(s.Series)] = true
			}
			before[p.of(s.Series)] = true
		}
		delete(before, "")
		named := maps.Clone(now)
		delete(named, "")
		somebody = somebody || len(named) > 0
		switch {
		case len(now) == 0: // it is gone
		case len(named) == 0 && len(before) > 0:
			lost = append(lost, host)
		case len(named) > 1:
			twice = append(twice, host)
		case len(before) > 1:
			changed = append(changed, host)
		}
	}
	var findings []Finding
	if len(lost) > 0 && (p.wants || !somebody) { // a machine may go back to where it has no user
		findings = append(findings, drifted.warn("see what changed in the scrape configuration, the service discovery or the exporter",
			"%s had the label %s within the last day and have lost it: %s", many(len(lost), "machine"), p.name, some(lost)))
	}
	if len(twice) > 0 && p.wants {
		findings = append(findings, drifted.warn("narrow prometheus.matchers to one job, or correct the labels: usage is split between the values",
			"%s have several values of %s at once: %s", many(len(twice), "machine"), p.name, some(twice)))
	}
	if len(changed) > 0 && p.wants {
		findings = append(findings, drifted.warn("nothing, if they were moved or their names given to other machines: usage follows the label of its time",
			"%s had another value of %s within the last day: %s", many(len(changed), "machine"), p.name, some(changed)))
	}
	return findings
}

var honor = check{Prometheus, "honor_labels"}

// Renamed is about our own metrics on the server: the labels of ours that it has renamed.
func Renamed(labels []string, ours bool) Finding {
	switch {
	case len(labels) > 0:
		return honor.warn("set honor_labels: true in the scrape job of carbon_exporter: dashboards and rules want our labels",
			"the server has our metrics with exported_%s: the target has labels of that name, which hide ours", strings.Join(labels, ", exported_"))
	case !ours:
		return honor.ok("the server does not have the metrics of carbon_exporter, or not yet")
	}
	return honor.ok("the server has our metrics with our labels")
}

var scrapes = check{Prometheus, "scrape interval"}

// Stale is about series that have samples in the last time, none of which is fresh.
func Stale(jobs map[string]int, window time.Duration) Finding {
	n := 0
	for _, series := range jobs {
		n += series
	}
	return scrapes.warn("scrape at least every 2 minutes; if the targets have stopped, see up",
		"%d selected series had samples in the last %s, from job %s, and none is there now: they are scraped less often than the server looks back for a sample (query.lookback-delta), or no longer",
		n, model.Duration(window), some(slices.Collect(maps.Keys(jobs))))
}

// fewestScrapes is how many samples an interval should have: with fewer, one scrape that is
// missed at a border leaves a hole.
const fewestScrapes = 4

// Scrapes is about how often machines are scraped, by how many samples some have in an interval.
// It also returns the time between two samples; 0: not known.
func Scrapes(samples map[string]int, interval time.Duration) (Finding, time.Duration) {
	counts := slices.Sorted(maps.Values(samples))
	if len(counts) == 0 {
		return scrapes.ok("not known: no machine has samples in the newest interval, or the queries are your own"), 0
	}
	usual := counts[len(counts)/2]
	every := (interval / time.Duration(max(usual, 1))).Round(time.Second)
	said := fmt.Sprintf("a sample every %s, %d in an interval of %s", model.Duration(every), usual, model.Duration(interval))
	if usual < fewestScrapes {
		return scrapes.warn(fmt.Sprintf("scrape more often, or set interval to at least %s", model.Duration(fewestScrapes*every)),
			"%s: fewer than %d leave holes wherever one is missed", said, fewestScrapes), every
	}
	return scrapes.ok("%s", said), every
}
