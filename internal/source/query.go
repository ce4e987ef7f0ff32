// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Labels names the labels of the CPU series: those by which usage is attributed, and those of
// the core and the mode. Series without a label of the core are of all cores of a host; those
// without one of the mode count busy time alone.
type Labels struct {
	Project, Machine, Host, User string
	CPU, Mode                    string
}

func (l Labels) list() []string { return []string{l.Project, l.Machine, l.Host, l.User} }

// Query configures the queries. All PromQL about the counters of hosts is in this file; that of
// shares, of measured power and of instruments is in query_*.go.
type Query struct {
	Metric     string // node_cpu_seconds_total
	Matchers   string // more matchers, without braces; may be empty
	Labels     Labels
	BusyModes  []string
	IdleModes  []string
	OtherModes []string // neither, on purpose
	// BusyQuery, if set, replaces the built queries. IdleQuery may be empty if CoresQuery is
	// set. In all of them $__interval is the length of the window, such as 30m, and
	// $__interval_seconds the same as a number.
	BusyQuery, IdleQuery string
	// CoresQuery, if set, returns the number of cores of each host, and replaces the count of
	// the series' cores.
	CoresQuery string
	Unit       float64   // seconds in the unit of the counters; 0: 1
	Fallback   *Fallback // what is asked where Metric has no series; nil: nothing
	Info       []Info    // what other metrics say of hosts
	Shares     *Shares   // who used the CPU time of the hosts; nil: not asked

	Instruments Instruments // what is asked beside CPU seconds: see Client.Instruments

	project, machine *string // the only one that the built queries select; nil: all
	withSums         bool    // the site has nothing but sums over all cores
	once             bool    // two servers scrape every host: count each core once
}

// given reports whether the operator wrote the queries.
func (q Query) given() bool { return q.BusyQuery != "" }

// counters selects the counters of every label set by mode. Evaluated at the edges of
// intervals, they grow by what was used: the sum over a row of intervals is the growth over all
// of it, whatever scrapes are missing. If each core counts once, the larger of two copies is the
// newer.
func (q Query) counters(project *string) string {
	l, each := q.Labels, q.selector(q.everyCore(), project)
	if q.once {
		each = fmt.Sprintf("max by (%s) (%s)", q.by(l.CPU, l.Mode), each)
	}
	return fmt.Sprintf("sum by (%s) (%s)", q.by(l.Mode), each)
}

// spread selects how far two series of the same core and mode of a host are apart. Copies are
// apart by no more than the server looks back for a sample.
func (q Query) spread(project *string) string {
	l, s := q.Labels, q.selector(q.everyCore(), project)
	each := fmt.Sprintf("by (%s)", listed(l.Host, l.CPU, l.Mode))
	return fmt.Sprintf("max by (%s) (max %s (%s) - min %s (%s))", listed(l.Host), each, s, each, s)
}

// several selects the hosts of which a counter is there more than once.
func (q Query) several(project *string) string {
	l := q.Labels
	return fmt.Sprintf("max by (%s) (count by (%s) (%s)) > 1", listed(l.Host), listed(l.Host, l.CPU, l.Mode), q.selector(q.everyCore(), project))
}

// moved selects the hosts of which a counter was there more than once in the window before each
// evaluation, or at its beginning: where a machine that moves comes from, and where it goes to.
func (q Query) moved(window time.Duration, project *string) string {
	l := q.Labels
	return fmt.Sprintf("max by (%s) (count by (%s) (count_over_time(%s[%s]))) > 1", listed(l.Host), listed(l.Host, l.CPU, l.Mode),
		q.selector(q.everyCore(), project), promDuration(window+lookBack*time.Second))
}

// times selects when each host was scraped last, as the server sees it at each evaluation.
func (q Query) times(project *string) string {
	return fmt.Sprintf("max by (%s) (timestamp(%s))", listed(q.Labels.Host), q.selector(q.everyCore(q.oneMode()), project))
}

// oneMode matches a mode that every host has; where the cores are not counted, idle is none.
func (q Query) oneMode() string {
	switch {
	case q.Labels.Mode == "":
		return ""
	case q.CoresQuery != "":
		return is(q.Labels.Mode, "=", q.BusyModes[0])
	}
	return is(q.Labels.Mode, "=", q.IdleModes[0])
}

// cores counts the cores of every label set that were there in the window before each
// evaluation, so that a host is seen that lived between two edges only. Series without a core
// label cannot be counted.
func (q Query) cores(window time.Duration, project *string) string {
	if q.CoresQuery != "" {
		return inWindow(q.CoresQuery, window)
	}
	one := q.selector(q.everyCore(is(q.Labels.Mode, "=", q.IdleModes[0]), is(q.Labels.CPU, "!=", "")), project)
	return fmt.Sprintf("count by (%s) (count by (%s) (count_over_time(%s[%s])))", q.by(), q.by(q.Labels.CPU), one, promDuration(window))
}

// inJobs counts all series by the job that scrapes them: those that are there or, with a window,
// those that have samples in it.
func (q Query) inJobs(window time.Duration) string {
	each := q.selector("", nil)
	if window > 0 {
		each = fmt.Sprintf("count_over_time(%s[%s])", each, promDuration(window))
	}
	return fmt.Sprintf("count by (job) (%s)", each)
}

// scrapes counts the samples of one series of each of some hosts in a window.
func (q Query) scrapes(hosts []string, window time.Duration) string {
	return fmt.Sprintf("max by (%s) (count_over_time(%s[%s]))", listed(q.Labels.Host), q.selector(q.everyCore(q.of(hosts)), nil), promDuration(window))
}

// renamed counts series of our own that have a label in place of one of ours: a scrape without
// honor_labels puts its target's label of that name in front.
func renamed(label string) string {
	return fmt.Sprintf(`count({__name__=~"carbon_(energy_kwh|cpu_seconds|power_watts|hosts|cores)",exported_%s!=""})`, label)
}

// ours counts the exporters whose metrics the server has.
const ours = "count(carbon_exporter_build_info)"

// sums matches what exporters call the sum or the mean over all cores: total, _Total, 0,_Total,
// cpu-total. They would count every core twice.
const sums = "(?i:.*total|all)"

// everyCore are matchers that leave out sums, if there is anything else, and more matchers.
func (q Query) everyCore(more ...string) string {
	if !q.withSums && q.Labels.CPU != "" {
		more = append([]string{is(q.Labels.CPU, "!~", sums)}, more...)
	}
	return strings.Join(slices.DeleteFunc(more, func(m string) bool { return m == "" }), ",")
}

// raw selects the samples of some hosts as they were scraped.
func (q Query) raw(hosts []string, window time.Duration) string {
	return q.selector(q.everyCore(q.of(hosts)), nil) + "[" + promDuration(window) + "]"
}

// foldedCore stands for all cores of a host together.
const foldedCore = ""

// folded is raw with all cores of a host added up, at even steps.
func (q Query) folded(hosts []string, window, step time.Duration) string {
	each := q.selector(q.everyCore(q.of(hosts)), nil)
	if q.once {
		each = fmt.Sprintf("max by (%s) (%s)", q.by(q.Labels.CPU, q.Labels.Mode), each)
	}
	return fmt.Sprintf("(sum by (%s) (%s))[%s:%s]", q.by(q.Labels.Mode), each, promDuration(window), promDuration(step))
}

// seen selects which of some hosts are there.
func (q Query) seen(hosts []string) string {
	return fmt.Sprintf("count by (%s) (%s)", listed(q.Labels.Host), q.selector(q.everyCore(q.oneMode(), q.of(hosts)), nil))
}

// of matches hosts.
func (q Query) of(hosts []string) string { return exactly(q.Labels.Host, hosts) }

// partOf reports whether a mode that is neither busy nor idle is part of another: Linux counts
// guest time as user, too, and Windows counts interrupts and deferred procedure calls as
// privileged.
func partOf(mode string) bool {
	return strings.HasPrefix(mode, "guest") || mode == "dpc" || mode == "interrupt"
}

// classOf says what a mode counts as.
func (q Query) classOf() func(mode string) class {
	classes := map[string]class{}
	for _, m := range q.OtherModes {
		classes[m] = otherClass
		if partOf(m) {
			classes[m] = partClass
		}
	}
	for _, m := range q.IdleModes {
		classes[m] = idleClass
	}
	for _, m := range q.BusyModes {
		classes[m] = busyClass
	}
	if q.Labels.Mode == "" {
		classes = map[string]class{"": busyClass}
	}
	return func(mode string) class {
		if c, ok := classes[mode]; ok {
			return c
		}
		return unlisted
	}
}

// growthOf selects the counters of some modes, for a person who follows a number by hand.
func (q Query) growthOf(modes []string) string {
	return multiplied(fmt.Sprintf("sum by (%s) (%s)", q.by(), q.selector(q.everyCore(q.anyOf(modes)), nil)), q.unit())
}

// partLabel distinguishes the parts of an answer.
const partLabel = "carbon_exporter_part"

// The values of partLabel in an answer about counters.
const (
	partBusy = "busy"
	partIdle = "idle"
)

// steps selects the counters of some hosts, busy and idle.
func (q Query) steps(hosts []string) string {
	part := func(modes []string, name string) string {
		return fmt.Sprintf(`label_replace(sum by (%s) (%s), %q, %q, "", "")`,
			q.by(), q.selector(q.everyCore(q.anyOf(modes), q.of(hosts)), nil), partLabel, name)
	}
	if q.Labels.Mode == "" {
		return part(nil, partBusy)
	}
	return part(q.BusyModes, partBusy) + " or " + part(q.IdleModes, partIdle)
}

// booted selects when each host last booted, according to node_exporter.
func (q Query) booted() string {
	boot := q
	boot.Metric = "node_boot_time_seconds"
	return fmt.Sprintf("max by (%s) (%s)", listed(q.Labels.Host), boot.selector("", nil))
}

// called matches the series of a project or machine type by its name. Series without a name are
// called unknown.
func called(label, name string) string {
	if name == usage.Unknown {
		return is(label, "=~", alternatives([]string{usage.Unknown, ""}))
	}
	return is(label, "=", name)
}

// projectsSelector matches every series of the metric, to list its projects.
func (q Query) projectsSelector() string { return q.selector("", nil) }

// by lists the labels for attribution, and more.
func (q Query) by(more ...string) string { return listed(append(q.Labels.list(), more...)...) }

func (q Query) anyOf(modes []string) string {
	if q.Labels.Mode == "" {
		return ""
	}
	return is(q.Labels.Mode, "=~", alternatives(modes))
}

// selector returns metric{matchers}. A project must match exactly: a name is never used as a
// regular expression.
func (q Query) selector(matchers string, project *string) string {
	all := []string{q.Matchers, matchers}
	if project != nil {
		all = append(all, is(q.Labels.Project, "=", *project))
	}
	if q.project != nil {
		all = append(all, called(q.Labels.Project, *q.project))
	}
	if q.machine != nil {
		all = append(all, called(q.Labels.Machine, *q.machine))
	}
	return selectorOf(q.Metric, all...)
}

// unit is how many seconds the counters count at once.
func (q Query) unit() float64 {
	if q.Unit == 0 {
		return 1
	}
	return q.Unit
}

func (q Query) busy(window time.Duration) string { return inWindow(q.BusyQuery, window) }

func (q Query) idle(window time.Duration) string { return inWindow(q.IdleQuery, window) }
