// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"
	"errors"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// day publishes a day, or finds that it is published.
func (p *Publisher) day(ctx context.Context, due usage.LakeDay, fence Fence) error {
	if fence.Publisher != p.id && due.Pruned == 0 {
		if stands, err := p.stands(ctx, due, fence); stands || err != nil {
			return err
		}
	}
	is, err := build(ctx, p.Store, due, p.Spool)
	if errors.Is(err, usage.ErrPruned) {
		return p.pruned(ctx, due, fence.Publisher == p.id)
	}
	if err != nil {
		return err
	}
	defer is.Close()
	if is.day.Open > 0 {
		return nil // it may change again: it is due later
	}
	s := standing{id: p.id, fenced: fence.Publisher != p.id}
	if s.have, err = p.manifest(ctx, Day(due.Date)); err != nil {
		return err
	}
	if e, ok, err := p.Store.LakeEdition(ctx, p.Name(), due.Date); err != nil {
		return err
	} else if ok {
		s.published = &e
	}
	if s.writing, err = p.Store.LakeWasWriting(ctx, p.Name(), due.Date); err != nil {
		return err
	}
	head := Manifest{
		Format: Format, Site: p.Site, Day: Day(due.Date),
		Calendar: Calendar{Timezone: p.Timezone, From: is.day.From.UTC(), Until: is.day.To.UTC()},
	}
	todo, contested := plan(s, is.Revision, head)
	if contested && (s.published == nil || !s.published.Contested) {
		p.Log.Warn("The lake has a day that this store has not published, under the id of this store: a copy of it publishes, too, or it was "+
			"restored from a backup; the day is published again once", "lake", p.Name(), "day", due.Date)
	}
	m := s.have
	switch todo {
	case adopt:
	case refuse:
		if !s.fenced {
			return &FencedError{Site: p.Site, Ours: p.id, Theirs: p.id}
		}
		p.refuse(due, s.have)
		return p.fenced(fence)
	case await:
		return p.await(due.Date, fence)
	case begin:
		m, err = p.first(ctx, head, is, s)
	case restore:
		err = p.replace(ctx, m, is, m.Present())
	case restate:
		m, err = p.restate(ctx, m, head, is)
	}
	if err != nil {
		return err
	}
	delete(p.awaited, due.Date)
	if todo != adopt {
		p.Log.Info("Published a day to the lake", "day", due.Date, "revision", m.Revision, "facts", is.Facts.Rows, "members", is.Members.Rows)
	}
	return p.Store.LakeDone(ctx, p.Name(), usage.LakeEdition{LakeDay: is.day, Edition: m.Revision, Generation: m.Generation, Contested: contested})
}

// The reasons of a revision.
const (
	reasonFirst     = "first"
	reasonRestated  = "restated"
	reasonHanded    = "handed over"
	reasonForgotten = "a person was forgotten"
	reasonLost      = "its manifest was deleted"
)

// first publishes a day that the lake does not have, or not any more: then numbers go on from those
// that were lost.
func (p *Publisher) first(ctx context.Context, head Manifest, is *edition, s standing) (*Manifest, error) {
	m, reason := head, reasonFirst
	if s.published != nil {
		m.Lost, m.Generation, reason = s.published.Edition, max(s.published.Generation, s.writing), reasonLost
	}
	if err := p.present(ctx, &m, is); err != nil {
		return nil, err
	}
	return &m, p.next(ctx, &m, is, reason)
}

// restate replaces the present revision by another one: it is copied away, the manifest names the
// copy, and only then is it overwritten. Whoever reads by the manifest finds what it names, whenever
// this is cut short; and it goes on from there.
func (p *Publisher) restate(ctx context.Context, have *Manifest, head Manifest, is *edition) (*Manifest, error) {
	reason := reasonRestated
	if have.Publisher != p.id {
		reason = reasonHanded
	}
	if err := p.setAside(ctx, have); err != nil {
		return nil, err
	}
	m := *have
	m.Format = head.Format
	m.move(head.Calendar)
	if err := p.present(ctx, &m, is); err != nil {
		return nil, err
	}
	return &m, p.next(ctx, &m, is, reason)
}

// setAside copies the objects of the present revision away, and has the manifest name the copies.
func (p *Publisher) setAside(ctx context.Context, m *Manifest) error {
	r := m.Present()
	facts, err := p.copyAside(ctx, m, r.Facts, FactsPath(m.Site, m.Day), "facts.parquet")
	if err != nil {
		return err
	}
	members, err := p.copyAside(ctx, m, r.Members, MembersPath(m.Site, m.Day), "members.parquet")
	if err != nil {
		return err
	}
	if facts.Path == r.Facts.Path && members.Path == r.Members.Path {
		return nil // that was done before this was cut short
	}
	aside := *r
	aside.Facts, aside.Members = facts, members
	if facts.Path == "" || members.Path == "" {
		aside.Facts.Path, aside.Members.Path, aside.Gone = "", "", "damaged"
	}
	m.Revisions = append(m.Revisions[:len(m.Revisions)-1:len(m.Revisions)-1], aside)
	return p.commit(ctx, m)
}

// copyAside copies one object to where superseded ones lie, and returns it there. One that is
// damaged has no path then: there is nothing to keep.
func (p *Publisher) copyAside(ctx context.Context, m *Manifest, o Object, present, name string) (Object, error) {
	if o.Path != present {
		return o, nil
	}
	r := m.Present()
	f, err := p.objects.Fetch(ctx, p.Spool, o)
	if _, ok := errors.AsType[*DamagedError](err); ok {
		p.Log.Error("A published file is no longer what its manifest says: somebody has changed or deleted it. It cannot be kept as an earlier revision",
			"lake", p.Name(), "day", m.Day, "file", o.Path)
		o.Path = ""
		return o, nil
	}
	if err != nil {
		return o, err
	}
	defer f.Close()
	o.Path = SupersededPath(m.Site, m.Day, r.Revision, r.Erasures, name)
	return o, p.objects.put(ctx, o.Path, f)
}

// present puts the objects of a day where readers look for them.
func (p *Publisher) present(ctx context.Context, m *Manifest, is *edition) error {
	is.Facts.Path, is.Members.Path = FactsPath(m.Site, m.Day), MembersPath(m.Site, m.Day)
	if err := p.objects.put(ctx, is.Facts.Path, is.facts); err != nil {
		return err
	}
	return p.objects.put(ctx, is.Members.Path, is.members)
}

// next makes an edition whose objects are in place the present revision.
func (p *Publisher) next(ctx context.Context, m *Manifest, is *edition, reason string) error {
	r := is.Revision
	var last *Manifest
	if len(m.Revisions) > 0 {
		last = m
	}
	r.Revision, r.PublishedAt, r.Reason = m.Lost+len(m.Revisions)+1, after(last, p.Now()), reason
	m.Revisions = append(slices.Clip(m.Revisions), r)
	m.Revision = r.Revision
	return p.commit(ctx, m)
}

// replace puts the objects of the present revision back, which had been set aside for another one
// that never came.
func (p *Publisher) replace(ctx context.Context, m *Manifest, is *edition, present *Revision) error {
	if err := p.present(ctx, m, is); err != nil {
		return err
	}
	present.Facts, present.Members = is.Facts, is.Members // perhaps of another version of the program
	return p.commit(ctx, m)
}
