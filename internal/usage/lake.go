// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "time"

// LakeDay is what the store has of a calendar day, for who publishes whole days.
type LakeDay struct {
	Period
	Date     string // local: 2026-11-27
	Revision int64  // the largest of its intervals; 0: none has usage
	Seconds  int64  // of an interval
	// Settled intervals have usage that is final, empty ones had an answer without any, and unknown
	// ones were never asked for.
	Settled, Empty, Unknown int
	Open                    int   // intervals that may still change
	Pruned                  int   // intervals whose per-key rows were deleted
	Holes                   []Gap // the times of empty and unknown intervals, in order
}

// Same reports whether nothing has changed between two looks at a day.
func (d LakeDay) Same(o LakeDay) bool {
	return d.Date == o.Date && d.From.Equal(o.From) && d.To.Equal(o.To) && d.Revision == o.Revision &&
		d.Settled == o.Settled && d.Empty == o.Empty && d.Unknown == o.Unknown
}

// LakeEdition is a day as it was published.
type LakeEdition struct {
	LakeDay          // as it was then; without Holes
	Edition    int   // its revision in the lake
	Generation int64 // of its manifest
	Contested  bool  // whether somebody with this store's id had published something else
}

// LakeWork is what there is to publish.
type LakeWork struct {
	Due     []LakeDay // over, final, and not published as they are, oldest first
	Open    int       // days that are over and may still change
	Lost    int       // days that cannot be published: per-key rows were deleted before
	Newest  Period    // the newest day that is published as it is; zero: none
	Revised int64     // the largest revision that was looked at
}

// LakeState is how far publishing has come.
type LakeState struct {
	Waiting int       // days that are due
	Open    int       // days that are over and may still change
	Lost    int       // days that cannot be published: per-key rows were deleted before, or before the manifest
	Refused int       // of those that wait: somebody else publishes them with other numbers
	Newest  time.Time // the end of the newest day that is published; zero: none is
}
