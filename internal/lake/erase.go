// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// erase removes people that were forgotten from everything that was published: their days were
// published again without them, and this rewrites what those replaced, and what the store no longer
// has the rows of. Sums and times stay, so that a report as of a date stays what it was.
func (p *Publisher) erase(ctx context.Context, fence Fence) error {
	forgotten, erased, isGone, err := p.Store.LakeErasures(ctx, p.Name())
	if err != nil || forgotten <= erased || fence.Publisher != p.id {
		return err
	}
	all, err := p.Store.LakeEditions(ctx, p.Name())
	if err != nil {
		return err
	}
	aliases := &aliases{isGone: isGone, of: map[string]string{}}
	changed := 0
	for _, e := range all {
		done, err := p.eraseDay(ctx, e, aliases, forgotten)
		if err != nil {
			return fmt.Errorf("day %s: remove a person: %w", e.Date, err)
		}
		changed += done
	}
	p.Log.Info("Nothing in the lake names the people any more that were forgotten", "lake", p.Name(), "files", changed)
	return p.Store.LakeErased(ctx, p.Name(), forgotten)
}

// eraseDay rewrites the revisions of a day that name somebody, and deletes what it has replaced,
// now or before it was last cut short.
func (p *Publisher) eraseDay(ctx context.Context, e usage.LakeEdition, names *aliases, people int) (changed int, err error) {
	m, err := p.manifest(ctx, Day(e.Date))
	if err != nil || m == nil {
		return 0, err // recall sees to a day without a manifest
	}
	was := m.Generation
	for i := range m.Revisions {
		if m.Revisions[i].Gone != "" {
			continue
		}
		done, err := p.eraseRevision(ctx, m, i, names)
		if err != nil {
			return changed, err
		}
		changed += done
	}
	if m.Generation != was {
		e.Edition, e.Generation = m.Revision, m.Generation
		if m.Present().Gone != "" {
			e.LakeDay.Revision = -1 // it is due again
		}
		if err := p.Store.LakeDone(ctx, p.Name(), e); err != nil {
			return changed, err
		}
	}
	for _, r := range m.Revisions {
		old := r.Erasures
		if r.Gone != "" {
			old++
		}
		for n := range old {
			for _, name := range []string{"facts.parquet", "members.parquet"} {
				if err := p.objects.remove(ctx, SupersededPath(m.Site, m.Day, r.Revision, n, name)); err != nil {
					return changed, err
				}
			}
		}
	}
	return changed, p.eraseLost(ctx, m, people)
}

// eraseLost deletes the files of revisions that were lost with their manifest: nobody finds them,
// and they may name somebody.
func (p *Publisher) eraseLost(ctx context.Context, m *Manifest, people int) error {
	for r := range m.Lost {
		for n := range people + 1 { // they were rewritten at most once for each person
			for _, name := range []string{"facts.parquet", "members.parquet"} {
				if err := p.objects.remove(ctx, SupersededPath(m.Site, m.Day, r+1, n, name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// eraseRevision rewrites one revision, if it names somebody.
func (p *Publisher) eraseRevision(ctx context.Context, m *Manifest, i int, names *aliases) (changed int, err error) {
	facts, some, err := erased(ctx, p, m.Revisions[i].Facts, names, func(f *Fact) *string { return &f.User })
	if err != nil {
		return 0, p.damaged(ctx, m, i, err)
	}
	defer facts.Close()
	members, more, err := erased(ctx, p, m.Revisions[i].Members, names, func(r *Member) *string {
		if r.Scope == string(usage.ScopeUser) {
			return &r.Name
		}
		return nil
	})
	if err != nil {
		return 0, p.damaged(ctx, m, i, err)
	}
	defer members.Close()
	last := i == len(m.Revisions)-1
	is := &edition{facts: facts, members: members, Revision: m.Revisions[i]}
	if !some && !more {
		if last && is.Facts.Path != FactsPath(m.Site, m.Day) {
			return 2, p.putBack(ctx, m, is) // this was cut short before
		}
		return 0, nil
	}
	r := m.Revisions[i]
	r.Erasures++
	r.Facts, r.Members = facts.Object, members.Object
	r.Facts.Path = SupersededPath(m.Site, m.Day, r.Revision, r.Erasures, "facts.parquet")
	r.Members.Path = SupersededPath(m.Site, m.Day, r.Revision, r.Erasures, "members.parquet")
	if err := p.objects.put(ctx, r.Facts.Path, facts); err != nil {
		return 0, err
	}
	if err := p.objects.put(ctx, r.Members.Path, members); err != nil {
		return 0, err
	}
	m.Revisions = slices.Clone(m.Revisions)
	m.Revisions[i] = r
	if err := p.commit(ctx, m); err != nil {
		return 0, err
	}
	if !last {
		return 2, nil
	}
	is.Revision = r
	return 2, p.putBack(ctx, m, is)
}

// putBack puts a revision that has become the last of those set aside where readers look for it, as
// a revision of its own.
func (p *Publisher) putBack(ctx context.Context, m *Manifest, is *edition) error {
	is.Erasures = 0
	if err := p.present(ctx, m, is); err != nil {
		return err
	}
	return p.next(ctx, m, is, reasonForgotten)
}

// damaged leaves out a revision that cannot be read: whatever it is, nobody finds it by its
// manifest. It is deleted, as it may name somebody.
func (p *Publisher) damaged(ctx context.Context, m *Manifest, i int, err error) error {
	if _, ok := errors.AsType[*DamagedError](err); !ok {
		return err
	}
	r := m.Revisions[i]
	p.Log.Error("A published file is no longer what its manifest says: somebody has changed or deleted it. It is deleted, as it may name a person that was forgotten",
		"lake", p.Name(), "day", m.Day, "revision", r.Revision)
	old := []string{r.Facts.Path, r.Members.Path}
	r.Facts.Path, r.Members.Path, r.Gone = "", "", "damaged"
	m.Revisions = slices.Clone(m.Revisions)
	m.Revisions[i] = r
	if err := p.commit(ctx, m); err != nil {
		return err
	}
	for _, name := range old {
		if err := p.objects.remove(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// aliases are what forgotten people are called instead.
type aliases struct {
	isGone func(user string) bool
	of     map[string]string
}

// rename replaces a name, and reports whether it did.
func (a *aliases) rename(name *string) bool {
	if name == nil || !a.isGone(*name) {
		return false
	}
	alias, known := a.of[*name]
	if !known {
		var random [4]byte
		rand.Read(random[:]) //nolint:errcheck // never fails
		alias = "forgotten-" + hex.EncodeToString(random[:])
		a.of[*name] = alias
	}
	*name = alias
	return true
}

// erased is an object with forgotten people renamed, as a local file; some is whether there were
// any.
func erased[T interface {
	Row
	Compare(T) int
}](ctx context.Context, p *Publisher, o Object, names *aliases, name func(*T) *string) (_ *File, some bool, err error) {
	from, err := p.objects.Fetch(ctx, p.Spool, o)
	if err != nil {
		return nil, false, err
	}
	defer from.Close()
	to, err := newFile(p.Spool)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			to.Close()
		}
	}()
	w := NewWriter[T](to)
	var together []T // rows of one time, whose order may become another
	flush := func() error {
		sortRows(together)
		err := w.Write(together)
		together = together[:0]
		return err
	}
	if err := Read(from, from.Bytes, func(row T) error {
		if len(together) > 0 && startOf(&together[0]) != startOf(&row) {
			if err := flush(); err != nil {
				return err
			}
		}
		some = names.rename(name(&row)) || some
		together = append(together, row)
		return nil
	}); err != nil {
		return nil, false, err
	}
	if err := flush(); err != nil {
		return nil, false, err
	}
	to.Object, err = w.Close()
	return to, some, err
}

// startOf is the time of a row.
func startOf[T Row](row *T) int64 {
	switch r := any(row).(type) {
	case *Fact:
		return r.Start.UnixMilli()
	case *Member:
		return r.Start.UnixMilli()
	}
	return 0
}
