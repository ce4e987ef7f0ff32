// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package infometric reads who has which host from the labels of an info metric, such as
// libvirt_domain_openstack_info. It knows how long a series may be away before its host has lost
// its owner; it must not know HTTP, PromQL or how ownership is determined. Start with
// Reader.Census.
package infometric

import (
	"context"
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	// step is how exactly a change of labels is dated.
	step = time.Minute
	// patience is how long a host may be away before it has lost its owner: an exporter that is
	// started again must not leave usage to nobody.
	patience = time.Hour
)

// Server answers when series were there: see source.Client.Appearances.
type Server interface {
	Appearances(ctx context.Context, metric, matchers string, labels []string, from, to time.Time, step time.Duration) ([]usage.Appearance, error)
}

// Metric is an info metric, and the labels in which it says what. An empty one is not asked for.
type Metric struct {
	Name, Matchers                       string
	Host, Owner, Project, Machine, Group string
}

// Reader reads an info metric again and again. It is used by one goroutine at a time.
type Reader struct {
	Server   Server
	Metric   Metric
	Names    []Names
	Lookback time.Duration // how far the first reading goes back
	Now      func() time.Time
	// Emails allows owners that are e-mail addresses. Without it they are refused, because the
	// owner is shown.
	Emails bool

	last time.Time // when it was last read; zero: never
}

// Census reads the metric since the last reading, and a while before that. Without any series
// there is no census: nobody would have a host any more. The caller sets Census.AsOf.
func (r *Reader) Census(ctx context.Context) (directory.Census, []directory.RecordReject, error) {
	now := r.Now()
	c := directory.Census{Table: true, Refused: map[string]bool{}}
	names, err := r.names(ctx, now)
	if err != nil {
		return c, nil, err
	}
	c.Names = names.all()
	var rejects []directory.RecordReject
	if r.Metric.Name != "" {
		seen, err := r.appearances(ctx, now)
		if err != nil {
			return c, nil, err
		}
		l := ledger{metric: r.Metric, names: names, emails: r.Emails, from: seen.from, to: seen.to, refused: map[string]int{}}
		for _, a := range seen.all {
			l.add(&c, a)
		}
		l.close(&c)
		rejects = l.rejects()
	}
	r.last = now
	return c, rejects, nil
}

// seen is what was there from a time to the newest.
type seen struct {
	from, to time.Time
	all      []usage.Appearance
}

func (r *Reader) appearances(ctx context.Context, now time.Time) (seen, error) {
	from := r.last.Add(-patience)
	if earliest := now.Add(-r.Lookback); r.last.IsZero() || from.Before(earliest) || r.last.After(now) {
		from = earliest
	}
	s := seen{from: from.Truncate(step), to: now.Truncate(step)}
	m := r.Metric
	var err error
	s.all, err = r.Server.Appearances(ctx, m.Name, m.Matchers, []string{m.Host, m.Owner, m.Project, m.Machine, m.Group}, s.from, s.to, step)
	if err != nil {
		return s, err
	}
	// While the whole metric is away, nobody has lost a host.
	newest := time.Time{}
	for _, a := range s.all {
		for _, run := range a.Runs {
			newest = usage.Later(newest, run.Last)
		}
	}
	if newest.Before(now.Add(-patience)) {
		return s, nothing(m.Name, m.Matchers, usage.Later(s.from, newest))
	}
	s.to = newest
	return s, nil
}

func nothing(metric, matchers string, since time.Time) error {
	if matchers != "" {
		matchers = "{" + matchers + "}"
	}
	said := fmt.Sprintf("%s%s has had no series since %s; owners stay as last read. Check the metric and its matchers",
		metric, matchers, since.UTC().Format(time.RFC3339))
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: said, Cause: said}
}
