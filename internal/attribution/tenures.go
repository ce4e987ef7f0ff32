// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"cmp"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// changedTenures returns all tenures of each document whose record differs from what is known.
func changedTenures(known directory.Directory, c directory.Census) []directory.Tenure {
	r := reading{before: whole(known.AsOf), now: whole(c.AsOf)}
	tenures, records := known.Tenures, byDocument(c.Workspaces)
	var changed, next []directory.Tenure
	for len(tenures) > 0 || len(records) > 0 {
		var old []directory.Tenure
		var w *directory.Workspace
		old, w, tenures, records = firstDocument(tenures, records)
		switch {
		case w != nil:
			next = r.follow(next[:0], old, *w)
		case c.Refused[old[0].Document]:
			continue
		default:
			next = r.vanish(next[:0], old)
		}
		if len(next) == 0 && len(old) > 0 {
			// A moment without an owner means the same as no record at all.
			next = append(next, directory.Tenure{
				Document: old[0].Document, Host: old[0].Host, From: old[0].From, To: old[0].From.Add(shortest),
			})
		}
		if !slices.EqualFunc(next, old, sameTenure) {
			changed = append(changed, next...)
		}
	}
	return changed
}

// firstDocument removes the first document from two sorted lists: its tenures and its record,
// of which there may be none. Of several records the first counts.
func firstDocument(tenures []directory.Tenure, records []*directory.Workspace) ([]directory.Tenure, *directory.Workspace, []directory.Tenure, []*directory.Workspace) {
	var document string
	if len(records) == 0 || len(tenures) > 0 && tenures[0].Document <= records[0].Document {
		document = tenures[0].Document
	} else {
		document = records[0].Document
	}
	n := 0
	if len(tenures) > 0 && tenures[0].Document == document {
		n = documentLength(tenures)
	}
	var w *directory.Workspace
	for len(records) > 0 && records[0].Document == document {
		if w == nil {
			w = records[0]
		}
		records = records[1:]
	}
	return tenures[:n], w, tenures[n:], records
}

// documentLength is the number of tenures of the first document.
func documentLength(tenures []directory.Tenure) int {
	n := 1
	for n < len(tenures) && tenures[n].Document == tenures[0].Document {
		n++
	}
	return n
}

// byDocument returns the records in order of their documents. Duplicates are in an order that
// does not depend on how they were read.
func byDocument(all []directory.Workspace) []*directory.Workspace {
	records := make([]*directory.Workspace, len(all))
	for i := range all {
		records[i] = &all[i]
	}
	slices.SortFunc(records, func(a, b *directory.Workspace) int {
		if c := cmp.Compare(a.Document, b.Document); c != 0 {
			return c
		}
		return cmp.Or(
			cmp.Compare(a.Host, b.Host), cmp.Compare(a.Owner, b.Owner),
			a.Created.Compare(b.Created), a.Acquired.Compare(b.Acquired), a.Deleted.Compare(b.Deleted),
		)
	})
	return records
}

func sameTenure(a, b directory.Tenure) bool {
	return a.Document == b.Document && a.Host == b.Host && a.Owner == b.Owner && a.From.Equal(b.From) && a.To.Equal(b.To)
}
