// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// item is something that an operator should look at, or should know to read the numbers right.
type item struct {
	Bad           bool // else it only explains
	What, Why, Do string
}

// status is the page in one line.
type status struct {
	Class, Text string
}

func statusOf(l *loud, items []item, stateOnly bool) status {
	bad := 0
	for _, i := range items {
		if i.Bad {
			bad++
		}
	}
	switch {
	case l != nil:
		return status{"loud", l.Title}
	case bad > 0:
		return status{"bad", count(bad, "thing needs", "things need") + " attention"}
	}
	if stateOnly && len(items) > 0 { // each of them only explains
		return status{"well", "All that is needed answers"}
	}
	if stateOnly { // which does not look at machines and budgets
		return status{"well", "Everything answers"}
	}
	return status{"well", "All is well"}
}

// attention lists what is wrong first, then what explains the numbers.
// What the loud one says is not said again.
func (k Known) attention(l *loud, c calendar) (all []item) {
	told := map[usage.Topic]bool{}
	for _, n := range k.Notices {
		told[n.About] = true
		if l == nil || n.About != l.About {
			all = append(all, item{Bad: true, What: topicName(n.About), Why: escape.Line(n.Text), Do: "Since " + c.near(n.Since) + "."})
		}
	}
	all = append(all, k.down(told)...)
	if ago := k.late(); ago > 0 {
		all = append(all, item{Bad: true, What: "Late", Why: "The newest usage is " + span(ago) + " old.", Do: "See the states of Prometheus and of the intervals below."})
	}
	if !k.StateOnly && k.Numbers != nil {
		all = append(all, k.doubtful(told, c)...)
	}
	slices.SortStableFunc(all, func(a, b item) int {
		switch {
		case a.Bad == b.Bad:
			return 0
		case a.Bad:
			return -1
		}
		return 1
	})
	return all
}

// doubtful lists what is wrong with the numbers, and what explains them.
func (k Known) doubtful(told map[usage.Topic]bool, c calendar) (all []item) {
	n := k.Numbers
	if !told[usage.TopicHosts] {
		all = append(all, n.refused()...)
	}
	if !told[usage.TopicLabels] {
		all = append(all, n.unnamed(k.Labels, k.Directory)...)
	}
	all = append(all, n.Power.guessed(k.Unrated)...)
	all = append(all, n.drifted(c)...)
	all = append(all, overBudget(k.Budgets)...)
	all = append(all, n.incomplete(k.Grid.Static != nil)...)
	return all
}

// down lists the parts that are bad. One of several ways to the same only explains, and says nothing
// while none of them is left: then the whole is down, which is said.
func (k Known) down(told map[usage.Topic]bool) (all []item) {
	bad := map[string]bool{}
	for _, p := range k.Parts {
		bad[p.Name] = p.Bad
		if p.Bad && !told[p.About] && !bad[p.Within] {
			all = append(all, item{Bad: p.Within == "", What: p.Name, Why: sentence(p.State), Do: p.Meanwhile})
		}
	}
	return all
}

func topicName(t usage.Topic) string {
	return map[usage.Topic]string{
		usage.TopicLabels: "Labels", usage.TopicHosts: "Machines", usage.TopicPower: "Power", usage.TopicPrometheus: "Prometheus",
		usage.TopicCarbon: "Carbon intensity", usage.TopicDirectory: "Directory", usage.TopicOwners: "Owners", usage.TopicUsageWriter: "Usage elsewhere",
		usage.TopicLake:     "Lake",
		usage.TopicForecast: "Forecast", usage.TopicMetrics: "Metrics", usage.TopicStore: "Store", usage.TopicConfiguration: "Configuration",
	}[t]
}

// sentence makes one of a text.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// refused says which machines are not exact, and why.
func (n *Numbers) refused() (all []item) {
	if n.Attended == nil || n.Attended.Attendance == nil {
		return nil
	}
	for _, state := range []usage.HostState{usage.HostRefused, usage.HostInterpolated} {
		by := n.Attended.Attendance.ByReason(state)
		for _, reason := range usage.DoubtReasons() {
			if by[reason] == 0 {
				continue
			}
			i := item{
				Bad: state == usage.HostRefused, What: count(by[reason], "machine ", "machines ") + string(state),
				Why: sentence(reason.Means()), Do: "To do: " + reason.Advice() + ".",
			}
			if i.Bad {
				i.Why += " This usage is not counted."
			}
			all = append(all, i)
		}
	}
	named := n.Attended.Attendance.Named()
	for _, mode := range slices.Sorted(maps.Keys(named)) {
		all = append(all, item{
			Bad: true, What: "CPU mode " + escape.Name(mode), Why: percent(named[mode]) + " of the CPU time is in a mode that is in no list, so it is not in the numbers.",
			Do: "To do: add it to prometheus.busy_modes, prometheus.idle_modes or prometheus.other_modes.",
		})
	}
	return all
}

// unnamed says which labels the series of some projects lack. Many clouds have no label of the
// machine type or of the user, and are well without. A directory may name what labels do not.
func (n *Numbers) unnamed(labels LabelNames, directory bool) (all []item) {
	for _, l := range []struct {
		key, label, lost string
		has              func(usage.LabelPresence) bool
		fine             bool
	}{
		{"project", labels.Project, "Their project is unknown.", func(p usage.LabelPresence) bool { return p.Project }, false},
		{"machine", labels.Machine, "Their machine type is unknown, so they have the default watts.", func(p usage.LabelPresence) bool { return p.Machine }, true},
		{"host", labels.Host, "Their machines cannot be told apart.", func(p usage.LabelPresence) bool { return p.Host }, false},
		{"user", labels.User, "Their usage is unattributed.", func(p usage.LabelPresence) bool { return p.User }, true},
	} {
		if directory {
			switch l.key {
			case "user":
				continue
			case "project":
				l.lost, l.fine = "Their project is what the directory says, else unknown.", true
			case "machine":
				l.lost = "Their machine type is what the directory says, else unknown, with the default watts."
			}
		}
		var without []string
		for _, project := range slices.Sorted(maps.Keys(n.Lacking)) {
			if !l.has(n.Lacking[project]) {
				without = append(without, escape.Name(project))
			}
		}
		if len(without) == 0 {
			continue
		}
		whose := count(len(without), "project", "projects") + " (" + listed(without) + ")"
		if len(without) == len(n.Lacking) {
			whose = "all projects"
		}
		all = append(all, item{
			Bad: !l.fine, What: "Label " + l.label, Why: "Series of " + whose + " lack it. " + l.lost,
			Do: "To do: see whether prometheus.labels." + l.key + " is the right name.",
		})
	}
	return all
}

func (n *Numbers) drifted(c calendar) (all []item) {
	for _, d := range n.Drift {
		if len(d.Lost) == 0 || len(all) == most {
			continue
		}
		i := item{
			Bad: true, What: "Project " + escape.Name(d.Project), Why: "It had series for days and has none now.",
			Do: "To do: see whether its machines were deleted or a label renamed.",
		}
		if !slices.Equal(d.Lost, []string{usage.LostSeries}) {
			i.Why = "Its series had for days what they lack now: " + strings.Join(d.Lost, ", ") + "."
			i.Do = "To do: see whether a label was renamed."
		}
		i.Why += " Last there " + c.near(d.Since) + "."
		all = append(all, i)
	}
	return all
}

func overBudget(budgets []Budget) (all []item) {
	for _, b := range budgets {
		switch {
		case b.Used != nil && *b.Used > b.Limit:
			all = append(all, item{Bad: true, What: "Budget " + escape.Name(b.Name), Why: percent(*b.Used/b.Limit) + " of it is used."})
		case b.Projected != nil && *b.Projected > 1:
			all = append(all, item{Bad: true, What: "Budget " + escape.Name(b.Name), Why: "At the rate of the last 7 days, " + percent(*b.Projected) + " of it will be used."})
		}
	}
	return all
}

// incomplete says what the intervals lack.
func (n *Numbers) incomplete(static bool) (all []item) {
	add := func(state usage.State, why, do string) {
		if n.States[state] > 0 {
			all = append(all, item{What: count(n.States[state], "interval ", "intervals ") + string(state), Why: why, Do: do})
		}
	}
	add(usage.Missing, "Prometheus was not asked yet, or did not answer.", "They are fetched as long as Prometheus has them. carbontool intervals says why each is missing.")
	add(usage.Unpriced, energyText(n.Unpriced)+" has no carbon intensity yet, so its grams are not counted yet.", "They are priced as soon as there is one.")
	add(usage.Empty, "Prometheus answered and had no CPU seconds.", "carbontool intervals lists them.")
	changes := "forecasts become actuals, and actuals are revised."
	if static {
		changes = "they are final once everything about them is known."
	}
	add(usage.Provisional, "Their grams may still change: "+changes, "")
	return all
}
