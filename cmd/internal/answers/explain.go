// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/explain"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Explain asks how a number was calculated.
type Explain struct {
	TS      string
	Project string
	Machine Narrowing
	User    Narrowing
	Group   Narrowing
	Format  string // one of ExplainFormats
}

// Narrowing selects a part of a project, if it is given.
type Narrowing struct {
	Name  string
	Given bool
}

func (n Narrowing) pointer() *string {
	if !n.Given {
		return nil
	}
	return &n.Name
}

// ExplainFormats lists the formats of the answer.
func ExplainFormats() []string { return []string{Text, JSON} }

// NeverSeen is a name that the store has never seen. For such a typing error "no usage" would be the
// wrong answer.
type NeverSeen struct{ error }

func (e NeverSeen) Unwrap() error { return e.error }

// Answer reads the explanation from the store. What is wrong with the question is a
// commandline.Wrong; a name without any usage is, too, and a NeverSeen.
func (q Explain) Answer(ctx context.Context, from From) (*ExplainAnswer, error) {
	st := from.Store
	at, err := when.Past("--ts", q.TS, st.Timezone(), from.Now)
	if err != nil {
		return nil, err
	}
	if err := q.known(ctx, from); err != nil {
		return nil, err
	}
	known, err := q.read(ctx, from, usage.IntervalAt(at, st.Interval()))
	if err != nil {
		return nil, err
	}
	for grid, v := range from.Config.CarbonIntensity.Statics() {
		known.Statics = append(known.Statics, explain.Static{
			GridName: grid, Intensity: usage.GramsPerKWh(*v.GCO2eqPerKWh), Source: v.Source,
		})
	}
	return &ExplainAnswer{explain.New(known), st.Timezone(), q.Format}, nil
}

// ExplainAnswer is an explanation.
type ExplainAnswer struct {
	*explain.Explanation
	zone   *time.Location
	format string
}

// Write writes the explanation.
func (a *ExplainAnswer) Write(out io.Writer, _ func(string) string) error {
	if a.format == JSON {
		return a.WriteJSON(out)
	}
	return a.WriteText(out, a.zone)
}

// known refuses names that the store has never seen.
func (q Explain) known(ctx context.Context, from From) error {
	for _, n := range []struct {
		scope usage.Scope
		Narrowing
	}{
		{usage.ScopeProject, Narrowing{q.Project, true}},
		{usage.ScopeMachine, q.Machine},
		{usage.ScopeUser, q.User},
		{usage.ScopeGroup, q.Group},
	} {
		if !n.Given {
			continue
		}
		names, err := from.Store.Members(ctx, n.scope)
		if err != nil {
			return err
		}
		if n.scope == usage.ScopeUser {
			names = from.Users.labels(names)
		}
		switch {
		case slices.Contains(names, n.Name):
		case n.scope == usage.ScopeProject:
			return NeverSeen{commandline.Wrongf("--project: the store has never seen %q; %s", n.Name, projects(names))}
		default:
			return NeverSeen{commandline.Wrongf("--%s: the store has never seen %q", n.scope, n.Name)}
		}
	}
	return nil
}

// projects lists the projects in the store.
func projects(names []string) string {
	const most = 10
	switch {
	case len(names) == 0:
		return "it has no projects"
	case len(names) > most:
		return fmt.Sprintf("it has %s and %d more", strings.Trim(fmt.Sprintf("%q", names[:most]), "[]"), len(names)-most)
	}
	return "it has " + strings.Trim(fmt.Sprintf("%q", names), "[]")
}

func (q Explain) read(ctx context.Context, from From, i usage.Interval) (explain.Known, error) {
	st := from.Store
	k := explain.Known{Now: from.Now, Key: explain.Key{
		Project: q.Project, Machine: q.Machine.pointer(), User: q.User.pointer(), Group: q.Group.pointer(),
	}}
	var err error
	if k.Proof, err = st.Proof(ctx, i); err != nil {
		return k, err
	}
	ids := usersOf(k.Facts)
	k.Facts = from.Users.facts(k.Facts)
	if k.Titles, err = from.Users.titles(ctx, st.Titles, k, ids); err != nil {
		return k, err
	}
	if k.Pruned {
		remains, used, err := st.ProjectUsage(ctx, q.Project, i)
		if err != nil {
			return k, err
		}
		if used {
			k.Remains = &remains
		}
	}
	if k.State == usage.Unasked {
		held, some, err := st.Span(ctx)
		if err != nil {
			return k, err
		}
		if some {
			k.Held = &held
		}
	}
	return k, nil
}
