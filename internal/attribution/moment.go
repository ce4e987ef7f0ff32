package attribution

import "time"

// forever is the end, in Unix seconds, of what has none: the year 36812.
const forever = 1 << 40

// startSeconds is a start in Unix seconds. Directories hold whole ones.
func startSeconds(t time.Time) int64 { return t.Unix() }

// endSeconds is an end in Unix seconds: zero means that there is none.
func endSeconds(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return min(t.Unix(), forever)
}

// moment is what seconds came from.
func moment(s int64) time.Time { return time.Unix(s, 0).UTC() }

// endMoment is what endSeconds came from.
func endMoment(s int64) time.Time {
	if s >= forever {
		return time.Time{}
	}
	return moment(s)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// whole is a time in UTC without its fraction of a second; zero stays zero.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
