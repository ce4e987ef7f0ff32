// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// lookAgainEvery is how often it is said again that nothing is found, and the least time
	// between two lines on what is.
	lookAgainEvery = time.Hour
	// lookFor bounds a look, so that it never delays usage by long.
	lookFor = 20 * time.Second
)

// lookout says what the source has: at the start, with new settings, and again when it changes much.
// It warns as long as that is nothing, or most hosts lack a label: a metric, a matcher or a label
// that is wrong looks healthy otherwise.
type lookout struct {
	store interface {
		Found(ctx context.Context) (usage.Found, error)
	}
	observer   Observer
	notices    NoticeObserver
	clock      clock.Clock
	log        *slog.Logger
	labelsSaid *notices                    // which labels were named
	directory  func() *directory.Directory // as stored; nil: not read yet

	asked      bool // the store, what it knows of the time before the start
	looked     bool
	blind      bool  // the last look failed, and so will what waits
	generation int64 // of the settings that were looked with
	nothing    bool  // what was found last: nothing
	said       time.Time
	instead    string               // what was not found, and what there is instead; empty: nothing
	last       *usage.Sight         // as said; nil: none was found
	lacking    []string             // what most hosts of the newest interval lack
	known      bool                 // whether there was one
	untold     bool                 // whether a directory that is still to be read may know what they lack
	wanted     bool                 // the newest interval is much different from what was said
	refused    *usage.Attendance    // of the newest interval, if all hosts are refused
	refusedAt  time.Time            // when that was last said
	machines   map[string]bool      // of the newest interval, by host; nil: not known
	compared   *directory.Directory // with the machines; nil: none
}

// look looks if it is time for that. waiting is whether intervals wait to be collected: then a
// failure is theirs to tell.
func (l *lookout) look(ctx context.Context, set Settings, waiting bool) (heard bool, err error) {
	if l.generation != set.generation {
		*l = lookout{
			store: l.store, observer: l.observer, notices: l.notices, clock: l.clock, log: l.log, labelsSaid: l.labelsSaid, directory: l.directory,
			asked: l.asked, generation: set.generation, machines: l.machines,
		}
	}
	if err := l.allRefused(ctx); err != nil {
		return false, err
	}
	l.strangers(set)
	if l.untold && !waiting && !l.unread(set) {
		l.wanted = true
	}
	now := l.clock.Now()
	if l.blind && waiting || l.looked && !l.wanted && (!l.nothing || !l.hourPassed(now, l.said)) {
		return false, nil
	}
	within, done := context.WithTimeout(ctx, lookFor)
	defer done()
	s, err := set.Source.Look(within, now)
	took := l.clock.Now().Sub(now)
	switch {
	case ctx.Err() != nil:
		return false, ctx.Err()
	case usage.FailureOf(err) == nil && err != nil, usage.IsTooLarge(err), err != nil && waiting:
		// A server that does not answer in time, or not this, may answer what matters.
		l.log.Debug("Looking what Prometheus has failed", "err", err)
		l.looked, l.blind = l.looked || usage.IsTooLarge(err), true
		return false, nil
	case err != nil:
		l.observer.Requested(usage.SourcePrometheus, took, err)
		return false, err
	}
	l.observer.Requested(usage.SourcePrometheus, took, nil)
	l.looked, l.blind, l.wanted = true, false, false
	l.tell(set, &s)
	return true, nil
}

func (l *lookout) hourPassed(now, at time.Time) bool {
	return at.IsZero() || at.After(now) || now.Sub(at) >= lookAgainEvery // after: a clock ran ahead
}

// tell says what was found.
func (l *lookout) tell(set Settings, s *usage.Sight) {
	now := l.clock.Now()
	l.instead = s.Instead
	if l.nothing = s.Hosts == 0; l.nothing {
		l.said, l.last = now, nil
		l.log.Warn("Prometheus answers and has no CPU seconds of any host", "url", set.Addresses.Prometheus, "why", s.Instead)
		l.notices.Notice(usage.TopicUsage, fmt.Sprintf("Prometheus answers and has no CPU seconds of any host: %s.", s.Instead))
		return
	}
	if s.Instead != "" {
		l.log.Warn("Prometheus has hosts, of which something is not found", "hosts", s.Hosts, "why", s.Instead)
	}
	if l.last == nil || s.Differs(l.last) {
		l.found(s)
		l.said, l.last = now, s
	}
	l.labels(set, s)
	if l.refused == nil {
		l.notices.Notice(usage.TopicUsage, "")
	}
}

// found is the line on what was found.
func (l *lookout) found(s *usage.Sight) {
	args := []any{"hosts", s.Hosts}
	if s.Cores > 0 {
		args = append(args, "cores", s.Cores)
	}
	if s.Projects != nil {
		args = append(args, "projects", len(s.Projects))
	}
	if s.Machines != nil {
		args = append(args, "machine_types", len(s.Machines))
	}
	if l.last == nil {
		l.log.Info("Found machines", append(args, "some", largest(s.Projects))...)
		return
	}
	args = append(args, "had_hosts", l.last.Hosts)
	for name, of := range map[string][]string{"new_projects": s.NewSince(l.last), "gone_projects": l.last.NewSince(s)} {
		if s.Projects != nil && l.last.Projects != nil && len(of) > 0 {
			args = append(args, name, strings.Join(of[:min(len(of), namedOf)], ", "))
		}
	}
	l.log.Info("Found other machines than before", args...)
}

// largest names the projects with the most hosts.
func largest(projects map[string]usage.Presence) string {
	names := make([]string, 0, len(projects))
	for name := range projects {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if by := projects[b].Hosts - projects[a].Hosts; by != 0 {
			return by
		}
		return strings.Compare(a, b)
	})
	var some []string
	for _, name := range names[:min(len(names), namedOf)] {
		some = append(some, fmt.Sprintf("%s %d", name, projects[name].Hosts))
	}
	return strings.Join(some, ", ")
}

// labelEffects says what becomes of usage that lacks something.
var labelEffects = map[string]string{
	usage.LostHost:    "all machines look like one",
	usage.LostProject: "usage is in the project unknown",
	usage.LostMachine: "usage has the machine type unknown, and the default watts",
	usage.LostUser:    "usage is nobody's, unattributed",
}

// labels warns of labels that most hosts lack. What is attributed in the newest interval decides:
// directories and other metrics may say what labels do not.
func (l *lookout) labels(set Settings, s *usage.Sight) {
	lacking := l.lacking
	if !l.known && s.Lacking != nil && set.Directory == nil {
		lacking = s.MostLack()
	}
	l.untold = false
	var all []string
	for _, what := range lacking {
		if what == usage.LostUser && set.Directory != nil {
			continue // a pool of machines that nobody has belongs to nobody
		}
		if what != usage.LostHost && l.unread(set) {
			l.untold = true
			continue
		}
		text := fmt.Sprintf("most hosts have no label %s, so %s: see prometheus.labels.%s", s.Labels[what], labelEffects[what], what)
		if s.Labels[what] == "" {
			text = fmt.Sprintf("prometheus.labels.%s is empty, so %s", what, labelEffects[what])
		}
		level := slog.LevelWarn
		if what == usage.LostUser {
			level = slog.LevelInfo // many sites know no users: what is nobody's is not in a wrong place
		} else {
			all = append(all, text)
		}
		if l.labelsSaid.isNew("label\x00" + what) {
			l.log.Log(context.Background(), level, "Most hosts lack a label", "label", s.Labels[what], "effect", labelEffects[what], "key", "prometheus.labels."+what, "they_have", strings.Join(s.Have, ", "))
		}
	}
	text := ""
	if len(all) > 0 {
		text = upperFirst(strings.Join(all, "; ")) + "."
		if len(s.Have) > 0 {
			text += " Their labels are " + strings.Join(s.Have, ", ") + "."
		}
	}
	l.notices.Notice(usage.TopicLabels, text)
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// see compares an interval that was just collected with what was said. It asks nobody.
func (l *lookout) see(rec *composed) {
	now := l.clock.Now()
	var parts []usage.Part
	if n := len(rec.readings); n > 0 {
		parts = rec.readings[n-1].parts
	}
	l.blind = false
	was := l.refused
	if l.refused = nil; rec.Attendance != nil && len(rec.Attendance.Present) > 0 && rec.Attendance.Booked() == 0 {
		l.refused = rec.Attendance
	}
	if was != nil && l.refused == nil {
		l.refusedAt, l.wanted = time.Time{}, true
	}
	if len(parts) == 0 {
		l.wanted = l.wanted || !l.nothing && l.hourPassed(now, l.said) && rec.State == usage.Empty
		return
	}
	l.meet(parts)
	s := usage.SightOf(rec.Attendance, parts)
	lacking := s.MostLack()
	changed := !l.known && len(lacking) > 0 || l.known && !slices.Equal(lacking, l.lacking)
	l.known, l.lacking = true, lacking
	if changed || l.last == nil && l.looked || l.last != nil && s.Differs(l.last) && l.hourPassed(now, l.said) {
		l.wanted = true
	}
}

// allRefused warns if the source has hosts of which nothing can be booked. At the start the store
// knows of the newest interval.
func (l *lookout) allRefused(ctx context.Context) error {
	if !l.asked {
		found, err := l.store.Found(ctx)
		if err != nil {
			return err
		}
		l.asked = true
		if a := found.Attendance; !found.Usage && a != nil && len(a.Present) > 0 && a.Booked() == 0 {
			l.refused = a
		}
	}
	now := l.clock.Now()
	if l.refused == nil || !l.hourPassed(now, l.refusedAt) {
		return nil
	}
	l.refusedAt = now
	var why []string
	refused := l.refused.ByReason(usage.HostRefused)
	hosts := 0
	for _, reason := range usage.DoubtReasons() {
		if n := refused[reason]; n > 0 {
			why = append(why, fmt.Sprintf("%d %s: %s; to do: %s", n, reason, reason.Means(), reason.Advice()))
			hosts += n
		}
	}
	all := strings.Join(why, ". ")
	if l.instead != "" {
		all += "; " + l.instead
	}
	l.log.Warn("Prometheus has hosts, and all of them are refused: there is no usage", "hosts", hosts, "why", all)
	l.notices.Notice(usage.TopicUsage, fmt.Sprintf("Prometheus has hosts, and all %d of them are refused: %s.", hosts, all))
	return nil
}
