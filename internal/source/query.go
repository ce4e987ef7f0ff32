package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Labels names the labels of the CPU series: those by which usage is attributed, and those that
// tell the series of one host apart.
type Labels struct {
	Project, Machine, Host, User string
	CPU, Mode                    string // the core, and what it did
}

func (l Labels) list() []string { return []string{l.Project, l.Machine, l.Host, l.User} }

// Query configures the queries. All PromQL of the exporter is in this file.
type Query struct {
	Metric    string // node_cpu_seconds_total
	Matchers  string // more matchers, without braces; may be empty
	Labels    Labels
	BusyModes []string
	IdleModes []string
	// OtherModes are neither busy nor idle, on purpose. A mode in none of the three lists is one
	// that the operator does not know about.
	OtherModes []string
	// BusyQuery and IdleQuery, if set, replace the built queries. $__interval in them is the
	// length of the window.
	BusyQuery, IdleQuery string
	// CoresQuery, if set, is the number of cores of each host, by the labels of BusyQuery or at
	// least Labels.Host. It takes the place of counting the values of Labels.CPU. IdleQuery may
	// then be empty: idle is what is left of cores x time.
	CoresQuery string

	project, machine *string // the only one that the built queries select; nil: all
}

// given reports whether the operator wrote the queries.
func (q Query) given() bool { return q.BusyQuery != "" }

// seconds selects the CPU seconds of some modes in the window before each evaluation. increase
// survives counter resets and uses one window only, so a query for a day returns the same as 48
// queries for its half hours.
func (q Query) seconds(modes []string, window time.Duration, project *string) string {
	return fmt.Sprintf("sum by (%s) (increase(%s[%s]))", q.by(), q.selector(anyOf(modes), project), promDuration(window))
}

// once is seconds with each core counted once, if two series are of the same core: an HA pair,
// or one host in two jobs. It takes the larger one, because a missed scrape makes an increase
// smaller.
func (q Query) once(modes []string, window time.Duration, project *string) string {
	return fmt.Sprintf("sum by (%s) (max by (%s, cpu, mode) (increase(%s[%s])))",
		q.by(), q.by(), q.selector(anyOf(modes), project), promDuration(window))
}

// The label that distinguishes the parts of a capacity answer.
const (
	partLabel  = "carbon_exporter_part"
	partCores  = "cores"
	partCopies = "copies"
	partOther  = "other"
)

// capacity selects three parts: the number of cores of each host in the window, the number of
// series per core at its end, and the CPU seconds of the modes that are neither busy nor idle.
// They show whether a host counts twice, and how much of its time was seen. Series without a
// cpu label cannot be counted and are left out.
//
// Copies are counted at one moment: two series that follow each other in a window, after a
// label has changed, must be added up.
func (q Query) capacity(window time.Duration, project *string) string {
	w, l := promDuration(window), q.by()
	one := q.selector(fmt.Sprintf(`mode=%q,cpu!=""`, q.IdleModes[0]), project)
	cores := fmt.Sprintf("count by (%s) (count by (%s, cpu) (count_over_time(%s[%s])))", l, l, one, w)
	copies := fmt.Sprintf("max by (%s) (count by (%s, cpu) (%s))", l, l, one)
	other := fmt.Sprintf("sum by (%s) (max by (%s, cpu, mode) (increase(%s[%s])))",
		l, l, q.selector(fmt.Sprintf(`mode!~%q,cpu!=""`, alternatives(append(append([]string{}, q.BusyModes...), q.IdleModes...))), project), w)
	part := func(expr, name string) string {
		return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, expr, partLabel, name)
	}
	return part(cores, partCores) + " or " + part(copies, partCopies) + " or " + part(other, partOther)
}

// The values of partLabel in an answer about counters.
const (
	partBusy = "busy"
	partIdle = "idle"
)

// counters selects the raw counters of some hosts, busy and idle. A host must match exactly:
// PromQL anchors regular expressions, and the names are quoted.
func (q Query) counters(hosts []string) string {
	quoted := make([]string, len(hosts))
	for i, h := range hosts {
		quoted[i] = regexp.QuoteMeta(h)
	}
	of := fmt.Sprintf("%s=~%q", q.Labels.Host, alternatives(quoted))
	part := func(modes []string, name string) string {
		return fmt.Sprintf(`label_replace(sum by (%s) (%s), %q, %q, "", "")`,
			q.by(), q.selector(anyOf(modes)+","+of, nil), partLabel, name)
	}
	return part(q.BusyModes, partBusy) + " or " + part(q.IdleModes, partIdle)
}

// booted selects when each host last booted, according to node_exporter.
func (q Query) booted() string {
	boot := q
	boot.Metric = "node_boot_time_seconds"
	return fmt.Sprintf("max by (%s) (%s)", q.Labels.Host, boot.selector("", nil))
}

// called matches the series of a project or machine type by its name. Series without a name are
// called unknown.
func called(label, name string) string {
	if name == usage.Unknown {
		return fmt.Sprintf("%s=~%q", label, alternatives([]string{usage.Unknown, ""}))
	}
	return label + "=" + strconv.Quote(name)
}

// The values of partLabel in an answer about measured power.
const (
	partMean   = "mean"
	partPoints = "points"
	partLeast  = "least"
)

// measured selects, by an expression of the operator, the mean power in the window before each
// evaluation; the lowest, because a mean would hide a missing reading; and the number of
// values. Series of one host, such as its sockets, are added up; the number of values shows if
// one of them has gaps. The line break ends a comment in the expression.
func (q Query) measured(expr string, window time.Duration) string {
	by := fmt.Sprintf("by (%s, %s)", q.Labels.Host, q.Labels.Machine)
	over := fmt.Sprintf("[%s:%s]", promDuration(window), promDuration(min(max(window/10, time.Second), time.Minute)))
	each := "(" + expr + "\n)"
	host := fmt.Sprintf("(sum %s %s)", by, each)
	part := func(expr, name string) string {
		return fmt.Sprintf(`label_replace(%s, %q, %q, "", "")`, expr, partLabel, name)
	}
	return part("avg_over_time("+host+over+")", partMean) +
		" or " + part("min_over_time("+host+over+")", partLeast) +
		" or " + part("sum "+by+" (count_over_time("+each+over+"))", partPoints)
}

// projectsSelector matches every series of the metric, to list its projects.
func (q Query) projectsSelector() string { return q.selector("", nil) }

func (q Query) by() string { return strings.Join(q.Labels.list(), ", ") }

func anyOf(modes []string) string { return fmt.Sprintf("mode=~%q", alternatives(modes)) }

func alternatives(modes []string) string { return strings.Join(modes, "|") }

// selector returns metric{matchers}. A project must match exactly: a name is never used as a
// regular expression.
func (q Query) selector(matchers string, project *string) string {
	var all []string
	for _, m := range []string{strings.Trim(strings.TrimSpace(q.Matchers), ","), matchers} {
		if m != "" {
			all = append(all, m)
		}
	}
	if project != nil {
		all = append(all, q.Labels.Project+"="+strconv.Quote(*project))
	}
	if q.project != nil {
		all = append(all, called(q.Labels.Project, *q.project))
	}
	if q.machine != nil {
		all = append(all, called(q.Labels.Machine, *q.machine))
	}
	return q.Metric + "{" + strings.Join(all, ",") + "}"
}

func (q Query) busy(window time.Duration, project *string) string {
	if q.given() {
		return strings.ReplaceAll(q.BusyQuery, "$__interval", promDuration(window))
	}
	return q.seconds(q.BusyModes, window, project)
}

func (q Query) idle(window time.Duration, project *string) string {
	if q.given() {
		return strings.ReplaceAll(q.IdleQuery, "$__interval", promDuration(window))
	}
	return q.seconds(q.IdleModes, window, project)
}

func promDuration(d time.Duration) string { return model.Duration(d).String() }
