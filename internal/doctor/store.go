// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Kept is what a store holds.
type Kept struct {
	Path     string
	Bytes    int64 // with its log
	File     int64 // without it: the log is used again and again, and does not grow with time
	Free     int64 // on its disk; negative: not known
	Version  int   // of its schema
	Span     usage.Period
	States   map[usage.State]int
	Interval time.Duration
	Failing  int      // intervals that could not be read at the last attempt
	Keys     int      // series of usage by the labels of metrics.by, each of some 20 samples
	Most     int      // metrics.max_samples; 0: there is none
	Labels   []string // metrics.by
}

var (
	storeFile = check{Store, "file"}
	storeDisk = check{Store, "disk"}
	storeData = check{Store, "intervals"}
	storeKeys = check{Store, "samples"}
)

// NoStore is about a store that cannot be read. absent: there is none, which is so before the
// first start.
func NoStore(cause string, absent bool) Finding {
	if absent {
		return storeFile.warn("start carbon_exporter, or set --storage.path to the file that it uses", "%s", cause)
	}
	return storeFile.fail("see carbontool check store; a copy made by carbontool backup can take its place", "%s", cause)
}

// Holds is about what a store holds, and how long its disk is enough.
func Holds(k Kept) []Finding {
	all := []Finding{storeFile.ok("%s: schema version %d, %s", k.Path, k.Version, megabytes(k.Bytes))}
	all = append(all, intervals(k), disk(k))
	if samples := k.Keys * samplesOfKey; k.Most > 0 && samples > k.Most/5*4 {
		all = append(all, storeKeys.warn(fewer(k.Labels),
			"/metrics has about %d samples of usage, %d for each of %s, and some more; metrics.max_samples is %d. None is left out", samples, samplesOfKey, many(k.Keys, "key"), k.Most))
	}
	return all
}

// fewer says what may be done about many samples.
func fewer(labels []string) string {
	do := ""
	if user := slices.Contains(labels, "user"); user || slices.Contains(labels, "machine") {
		do = "leave labels out with metrics.by, "
		if user {
			do += "name fewer users with attribution.max_users, "
		}
	}
	return do + "shorten metrics.keep if many keys are no longer used, or raise metrics.max_samples if Prometheus can bear them"
}

// samplesOfKey is how many samples a key has on /metrics: 14 by mode and 6 since the day, month and
// year began. Devices and embodied emissions add some.
const samplesOfKey = 20

func intervals(k Kept) Finding {
	var words []string
	whole := 0
	for _, state := range usage.States() {
		if n := k.States[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
			whole += n
		}
	}
	if whole == 0 {
		return storeData.warn("start carbon_exporter", "there are no intervals yet")
	}
	said := fmt.Sprintf("%s of %s: %s", many(whole, "interval"), model.Duration(k.Interval), strings.Join(words, ", "))
	if !k.Span.From.IsZero() {
		said += fmt.Sprintf("; usage from %s to %s", k.Span.From.UTC().Format(time.RFC3339), k.Span.To.UTC().Format(time.RFC3339))
	}
	switch {
	case k.States[usage.Empty] == whole:
		return storeData.warn("see the findings about prometheus above", "%s: Prometheus answered, and never had usage", said)
	case k.Failing > 0:
		return storeData.warn("see carbontool intervals --state=missing", "%s; reading %d of them failed", said, k.Failing)
	}
	return storeData.ok("%s", said)
}

// year is how long a disk should last.
const year = 365 * 24 * time.Hour

// enoughToTell is the span of usage from which on its growth says something.
const enoughToTell = 24 * time.Hour

func disk(k Kept) Finding {
	const do = "give the disk more space, or set --storage.retention"
	if k.Free < 0 {
		return storeDisk.ok("free space is not known")
	}
	const least = 256 << 20
	span := k.Span.To.Sub(k.Span.From)
	if span < enoughToTell {
		if k.Free < least {
			return storeDisk.warn(do, "%s free", megabytes(k.Free))
		}
		return storeDisk.ok("%s free; too early to say how fast the store grows", megabytes(k.Free))
	}
	grows := int64(float64(k.File) / span.Hours() * year.Hours())
	said := fmt.Sprintf("%s free; the store grows by about %s a year", megabytes(k.Free), megabytes(grows))
	if k.Free < grows || k.Free < least {
		return storeDisk.warn(do, "%s", said)
	}
	return storeDisk.ok("%s", said)
}

func megabytes(n int64) string {
	if n >= 10e9 {
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
