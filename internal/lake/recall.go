// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"context"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// recall looks whether the bucket still has the manifest of each day that was published, and has
// those published again whose manifest is gone. The bucket may also be another, or empty.
func (p *Publisher) recall(ctx context.Context) error {
	p.unmade = nil
	all, err := p.Store.LakeEditions(ctx, p.Name())
	if err != nil || len(all) == 0 {
		return err
	}
	// A list may be late, or be refused: what it lacks is asked for by its name.
	listed := map[string]bool{}
	_ = p.objects.bucket.Iter(ctx, ManifestDir(p.Site), func(name string) error {
		listed[name] = true
		return nil
	})
	var gone []string
	for _, e := range all {
		name := ManifestPath(p.Site, Day(e.Date))
		if listed[name] {
			continue
		}
		there, err := p.objects.isThere(ctx, name)
		if err != nil {
			return err
		}
		if !there {
			gone = append(gone, e.Date)
		}
	}
	switch len(gone) {
	case 0:
		return nil
	case len(all):
		p.Log.Warn("The lake has lost what was published, or is another bucket under the same name: all days are published again",
			"lake", p.Name(), "days", len(gone), "missing", ManifestPath(p.Site, Day(gone[0])))
	default:
		p.Log.Warn("The lake has lost manifests of days that were published: somebody has deleted them. The days are published again, each with the "+
			"next number of a revision; its earlier revisions are lost. To keep them, restore the manifests from the versions of the bucket",
			"lake", p.Name(), "days", len(gone), "missing", ManifestPath(p.Site, Day(gone[0])))
	}
	return p.Store.LakeGone(ctx, p.Name(), gone)
}

// pruned records that a day was looked at that cannot be made again. Its files are as they were, but
// for people who were forgotten: erase sees to those, if there is a manifest.
func (p *Publisher) pruned(ctx context.Context, due usage.LakeDay, ours bool) error {
	e, ok, err := p.Store.LakeEdition(ctx, p.Name(), due.Date)
	if err != nil || !ok {
		return err
	}
	name := ManifestPath(p.Site, Day(due.Date))
	there, err := p.objects.isThere(ctx, name)
	if err != nil {
		return err
	}
	if !there && ours {
		p.unmade = append(p.unmade, due.Date)
	}
	e.LakeDay = due
	return p.Store.LakeDone(ctx, p.Name(), e)
}

// tellUnmade says which days cannot be made again, beyond those that were told.
func (p *Publisher) tellUnmade(told int) {
	if days := p.unmade[told:]; len(days) > 0 {
		p.Log.Error("Manifests are gone from the lake, and their days cannot be published again: the store has no usage by key of them any more. "+
			"Restore the manifests from the versions of the bucket or from a backup. Until then these days count for nobody who goes by manifests, and "+
			"people who are forgotten stay in their files", "lake", p.Name(), "days", len(days), "first", days[0], "last", days[len(days)-1])
	}
}
