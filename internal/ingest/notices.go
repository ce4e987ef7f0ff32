// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// sayEvery is how often the log repeats what has not changed.
	sayEvery = 24 * time.Hour
	// eachUpTo is how many hosts with one reason have a line each; more share one, which names
	// the first few.
	eachUpTo, namedOf = 20, 5
	// mostSaid bounds what is remembered, of which what is old is forgotten every sweepEvery.
	mostSaid   = 10_000
	sweepEvery = time.Hour
)

// NoticeObserver receives what an operator should know now, for the landing page.
type NoticeObserver interface {
	// Notice replaces what is said about a topic: sentences for a person that say what to do and
	// name no person and no secret. An empty text ends it.
	Notice(about usage.Topic, text string)
}

// notices tells the operator which hosts are not exact, and which modes are in no list: each
// once a day, however many intervals are collected.
type notices struct {
	log   *slog.Logger
	clock clock.Clock
	said  map[string]time.Time
	swept time.Time // when what is old was last forgotten
}

// see says what is new in an interval.
func (n *notices) see(i usage.Interval, a *usage.Attendance) {
	if a == nil {
		return
	}
	for _, state := range []usage.HostState{usage.HostRefused, usage.HostInterpolated} {
		for reason, count := range a.ByReason(state) {
			doubts := slices.DeleteFunc(slices.Clone(a.Doubts), func(d usage.Doubt) bool { return d.State != state || d.Reason != reason })
			if count > eachUpTo {
				n.many(i, state, reason, count, doubts)
				continue
			}
			for _, d := range doubts {
				n.one(i, d)
			}
		}
	}
	n.modes(a)
}

func (n *notices) one(i usage.Interval, d usage.Doubt) {
	if !n.isNew(strings.Join([]string{string(d.State), string(d.Reason), d.Project, d.Host, d.Machine}, "\x00")) {
		return
	}
	args := []any{"host", d.Host, "project", d.Project, "interval", i, "reason", d.Reason, "why", d.Reason.Means()}
	if d.Detail != "" {
		args = append(args, "seen", d.Detail)
	}
	if d.State == usage.HostRefused {
		n.log.Warn("Refusing the CPU time of a host: nothing of it is booked", append(args, "do", d.Reason.Advice())...)
	} else {
		n.log.Debug("Interpolating the CPU time of a host", args...)
	}
}

func (n *notices) many(i usage.Interval, state usage.HostState, reason usage.DoubtReason, count int, doubts []usage.Doubt) {
	if !n.isNew(strings.Join([]string{string(state), string(reason)}, "\x00")) {
		return
	}
	var some []string
	for _, d := range doubts[:min(len(doubts), namedOf)] {
		some = append(some, d.Host)
	}
	args := []any{"hosts", count, "some", strings.Join(some, ", "), "interval", i, "reason", reason, "why", reason.Means()}
	if state == usage.HostRefused {
		n.log.Warn("Refusing the CPU time of many hosts: nothing of them is booked", append(args, "do", reason.Advice())...)
	} else {
		n.log.Info("Interpolating the CPU time of many hosts", args...)
	}
}

// modes names those that are in no list, once more when one has twice the share.
func (n *notices) modes(a *usage.Attendance) {
	for mode, share := range a.Named() {
		doubled := math.Ilogb(share / usage.UnlistedFrom)
		if n.isNew(fmt.Sprintf("mode\x00%s\x00%d", mode, doubled)) {
			n.log.Warn("CPU time in a mode that is in no list is not booked; add the mode to prometheus.busy_modes, prometheus.idle_modes or prometheus.other_modes",
				"mode", mode, "share", fmt.Sprintf("%.1f %%", 100*share))
		}
	}
}

// alike names hosts that show the same counters: containers that see the cores of the machine
// they run on. Many such groups share a line.
func (n *notices) alike(readings []attributed) {
	const message = "Several hosts show the same CPU counters, and each is booked with all of them: they may be containers that see the cores of their machine. Scrape the machine instead, or leave the containers out by prometheus.matchers"
	for _, reading := range readings {
		if groups := len(reading.Alike); groups > eachUpTo {
			hosts := 0
			for _, of := range reading.Alike {
				hosts += len(of)
			}
			some := someOf(reading.Alike[0])
			if n.isNew("alike\x00" + some) {
				n.log.Warn(message, "groups", groups, "hosts", hosts, "some", some)
			}
			continue
		}
		for _, hosts := range reading.Alike {
			if some := someOf(hosts); n.isNew("alike\x00" + some) {
				n.log.Warn(message, "hosts", len(hosts), "some", some)
			}
		}
	}
}

// remark passes on what a source of carbon intensity says of its own answers.
func (n *notices) remark(provider, text string) {
	if n.isNew("remark\x00" + provider + "\x00" + text) {
		n.log.Warn(text, "provider", provider)
	}
}

// remarks passes on what a source found doubtful.
func (n *notices) remarks(readings []attributed) {
	for _, reading := range readings {
		for _, text := range reading.Remarks {
			if n.isNew("remark\x00" + text) {
				n.log.Warn(text)
			}
		}
	}
}

// isNew reports whether something was not said in the last day, and counts it as said.
func (n *notices) isNew(what string) bool {
	now := n.clock.Now()
	old := func(at time.Time) bool { return at.After(now) || now.Sub(at) >= sayEvery } // after: a clock ran ahead
	if at, ok := n.said[what]; ok && !old(at) {
		return false
	}
	if n.said == nil {
		n.said = map[string]time.Time{}
	}
	if len(n.said) >= mostSaid && old(n.swept.Add(sweepEvery-sayEvery)) {
		n.swept = now
		maps.DeleteFunc(n.said, func(_ string, at time.Time) bool { return old(at) })
	}
	if len(n.said) < mostSaid {
		n.said[what] = now
	}
	return true
}
