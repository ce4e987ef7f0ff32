// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import "time"

// forever is the end, in Unix seconds, of a time without an end: the year 36812.
const forever = 1 << 40

// startSeconds is a start in Unix seconds. Directories have whole seconds.
func startSeconds(t time.Time) int64 { return t.Unix() }

// endSeconds is an end in Unix seconds; the zero time means no end.
func endSeconds(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return min(t.Unix(), forever)
}

// moment is the inverse of startSeconds.
func moment(s int64) time.Time { return time.Unix(s, 0).UTC() }

// endMoment is the inverse of endSeconds.
func endMoment(s int64) time.Time {
	if s >= forever {
		return time.Time{}
	}
	return moment(s)
}

// whole returns a time in UTC without its fraction of a second; zero stays zero.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
