// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Published is what a bucket and a store say of the days of a site.
type Published struct {
	Site string
	Now  time.Time

	// Of the bucket.
	PublisherFile string    // its name
	PublisherBad  string    // why it cannot be understood; empty: it can
	Newer         bool      // a newer program has written it
	Publisher     string    // the id in it; empty: there is none
	Since         time.Time // of the publisher

	// Of the store.
	Unread      string // why it cannot be read; empty: it can
	Ours        string // the id of the store; empty: it has none yet
	Elsewhere   string // the lake to which it publishes now, if that is another one
	Days        int    // that were published
	Newest      string // day of them; empty: there is none
	Gone        string // the newest of them of which the bucket has no manifest; empty: it has all
	Contested   int    // days that a copy of the store has published, too
	Work        usage.LakeWork
	SettleAfter time.Duration

	// Of days that wait, if somebody else publishes the site.
	Theirs   int    // of them that the bucket has
	Compared int    // of those that were compared, the newest first, until one is another
	Other    string // the one that is another; empty: they are the same
}

var (
	lakePublisher = check{Lake, "publisher"}
	lakePublished = check{Lake, "published"}
)

// LakePublisher says who publishes a site, and whether that is this store.
func LakePublisher(p Published) Finding {
	c := lakePublisher
	handOver := fmt.Sprintf("give one of the two another lake.site; or, if the other exporter is gone for good, delete %s, so that this one goes on", p.PublisherFile)
	who := fmt.Sprintf("another exporter has published site %s since %s (its id is %.8s, ours %.8s)", p.Site, at(p.Since), p.Publisher, p.Ours)
	switch {
	case p.Newer:
		return c.fail("update this program and carbon_exporter", "%s: %s", p.PublisherFile, brief(p.PublisherBad))
	case p.PublisherBad != "":
		return c.fail("look at it, and delete it to have it written anew", "%s cannot be understood: %s", p.PublisherFile, brief(p.PublisherBad))
	case p.Publisher == "" && p.Days > 0:
		return c.warn("nothing, if the site is being handed over; otherwise see whether this is the right bucket and prefix",
			"there is no %s, and this store has published %s: the next exporter that publishes the site writes it", p.PublisherFile, many(p.Days, "day"))
	case p.Publisher == "":
		return c.ok("nobody has published site %s yet: the first exporter that does may go on", p.Site)
	case p.Unread != "":
		return c.ok("site %s has been published since %s by the id %.8s; whether that is this store is not known, as it cannot be read", p.Site, at(p.Since), p.Publisher)
	case p.Ours == p.Publisher && p.Contested > 0:
		return c.warn("stop one of the two, or give one another lake.site; nothing, if this store was restored from a backup",
			"this store publishes site %s (id %.8s), and a copy of it has published %s with other numbers", p.Site, p.Ours, many(p.Contested, "day"))
	case p.Ours == p.Publisher:
		return c.ok("this store has published site %s since %s (id %.8s)", p.Site, at(p.Since), p.Ours)
	case p.Ours == "":
		return c.warn("nothing, if the other one is a twin with the same configuration; otherwise give one of the two another lake.site",
			"another exporter has published site %s since %s (its id is %.8s); this store has published nothing to it yet", p.Site, at(p.Since), p.Publisher)
	case p.Other != "":
		return c.fail(handOver, "%s, and has other numbers: of the days that wait it has %d, and %s is another. This store publishes nothing", who, p.Theirs, p.Other)
	case p.overdue() > 0 && p.Theirs == 0:
		return c.fail(handOver, "%s, and does not publish what this one could: %s. This store publishes nothing", who, many(p.overdue(), "day"))
	case p.Theirs > 0 && p.Compared == 0:
		return c.warn("run carbontool lake verify, which compares every day with the store", "%s; of the days that wait it has %d, and whether their numbers are the same is not known", who, p.Theirs)
	case p.Compared < p.Theirs:
		return c.warn("run carbontool lake verify, which compares every day with the store", "%s; of the days that wait it has %d; the newest %d have the same numbers, and of the others it is not known", who, p.Theirs, p.Compared)
	}
	if len(p.Work.Due) > p.Theirs {
		return c.ok("%s, and has not published %s yet that wait here: a day may be later by 24 hours", who, many(len(p.Work.Due)-p.Theirs, "day"))
	}
	return c.ok("%s, and has the same numbers: a twin, whose days this one takes for published", who)
}

// late is how long a day may wait once it is final: a twin is waited for as long.
const late = 24 * time.Hour

// overdue counts the days that should have been published.
func (p Published) overdue() (n int) {
	for _, d := range p.Work.Due {
		if p.Now.Sub(d.To) > late+p.SettleAfter {
			n++
		}
	}
	return n
}

// LakePublished says how far a store has published, and what waits or is lost.
func LakePublished(p Published) Finding {
	c := lakePublished
	if p.Unread != "" {
		return c.warn("see the findings about store; before the first start of carbon_exporter there is none", "not known: %s", p.Unread)
	}
	said := "no day is published"
	if p.Days > 0 {
		said = fmt.Sprintf("%s published, the newest is %s", are(p.Days, "day"), p.Newest)
	}
	due := len(p.Work.Due)
	for _, part := range []struct {
		n    int
		what string
	}{{due, "to be published"}, {p.Work.Open, "over and not final"}, {p.Work.Lost, "lost, as per-key rows were deleted before"}} {
		if part.n > 0 {
			said += fmt.Sprintf("; %s %s", are(part.n, "day"), part.what)
		}
	}
	switch {
	case p.Gone != "":
		return c.warn("see whether this is the right bucket and prefix; carbon_exporter publishes such days again that the store still has by key, when it "+
			"starts and every 6 hours; to keep earlier revisions, restore the manifest from the versions of the bucket",
			"%s; the bucket has no manifest of %s: it has lost what was published, or is another one", said, p.Gone)
	case p.overdue() > 0:
		return c.warn("start carbon_exporter, if it does not run; its log and its page at / say why it does not publish",
			"%s; %d for longer than a day", said, p.overdue())
	case p.Elsewhere != "":
		return c.warn("nothing, if that is meant: all days are published again from the next start or reload on", "%s; until now this store has published %s", said, p.Elsewhere)
	}
	return c.ok("%s", said)
}

// are is a number with its noun and a verb.
func are(n int, noun string) string {
	if n == 1 {
		return many(n, noun) + " is"
	}
	return many(n, noun) + " are"
}

func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }
