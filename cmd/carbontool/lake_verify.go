// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/lake/audit"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
)

// verifyLake proves that a lake has no hole and no overlap.
type verifyLake struct {
	site
	lakeFlags
	storeGiven bool
	format     string
}

func (v *verifyLake) register(app *kingpin.Application) *kingpin.CmdClause {
	c := v.lakeFlags.register(app, "verify", "Prove that a lake has no hole, no overlap and no damage.").HelpLong(`
Reads every manifest and every file of each site, and prints one line per check:

  manifests   each can be read, and its format is known
  days        none is missing between the first and the last, none overlaps
              another, and each is the calendar day of its time zone
  intervals   settled, empty and unknown ones cover each day, without a hole
  objects     each is there, with the bytes, hash and rows of its manifest, of
              earlier revisions, too
  rows        each is there once, in order, and in an interval with usage
  sums        facts and members add up to each other and to the manifest
  publisher   one exporter publishes the site
  unnamed     no file is there that no manifest names
  store       with --storage.path: the store has the same days

Intervals that are unknown are no fault: the lake says that they are, and notes
follow. carbon_exporter may publish at the same time. Nothing is written. A manifest
that a newer version has written is a fault: use a newer carbontool.

A day is looked for by its name, so that a bucket that lists objects late has no
hole. --storage.path compares the days of one site with the store that publishes it:
that of the configuration, or of --site.

Example:

    carbontool lake verify --objstore.config-file=bucket.yml
    carbontool lake verify --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	v.registerConfig(c)
	c.Flag("storage.path", "SQLite file of the store that publishes the site, to compare with. Default: none.").
		PlaceHolder("FILE").IsSetByUser(&v.storeGiven).StringVar(&v.storagePath)
	c.Flag("format", "Output format: text or json.").Default("text").EnumVar(&v.format, "text", "json")
	return c
}

func (v *verifyLake) run(ctx context.Context, s streams) error {
	c, err := v.config()
	if err != nil {
		return err
	}
	from, err := v.openLake(ctx, c)
	if err != nil {
		return err
	}
	defer from.Bucket.Close() //nolint:errcheck // nothing was written
	stored, store, closeStore, err := v.openStored(ctx, c, from)
	if err != nil {
		return err
	}
	defer closeStore()
	var all []audit.Result
	failed, checks := 0, 0
	for _, name := range from.sites {
		a := &audit.Audit{Catalog: &from.Catalog, Now: time.Now(), Told: v.told(s, name)}
		if name == stored {
			a.Store = store
		}
		r, err := a.Site(ctx, name)
		if err != nil {
			return err
		}
		all = append(all, r)
		failed, checks = failed+r.Failed(), checks+len(r.Checks)
		if v.format == "text" {
			writeAudit(s.out, r)
		}
	}
	if v.format == "json" {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(map[string]any{"bucket": from.place, "failed": failed, "sites": all}); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", from.place, failed, checks)
	}
	return nil
}

// openStored opens the store to compare with, and returns the site that it publishes; empty: none.
func (v *verifyLake) openStored(ctx context.Context, c *config.Config, from *openLake) (site string, st audit.Store, closeStore func(), err error) {
	closeStore = func() {}
	if !v.storeGiven {
		return "", nil, closeStore, nil
	}
	switch {
	case len(from.sites) == 1:
		site = from.sites[0]
	case c.Lake != nil && slices.Contains(from.sites, c.Lake.Site):
		site = c.Lake.Site
	default:
		return "", nil, closeStore, wrongUsef("--storage.path: give --site, the site that this store publishes, one of %s", strings.Join(from.sites, ", "))
	}
	is, err := v.openToRead(ctx, c)
	if err != nil {
		return "", nil, closeStore, err
	}
	return site, is, func() { is.Close() }, nil
}

// told shows on a terminal how far it is.
func (v *verifyLake) told(s streams, site string) func(done, all int, day time.Time) {
	var line *progress.Line
	return func(done, all int, day time.Time) {
		if line == nil {
			line = watched(s.err, site+": days", all)
		}
		if line.Add(1, day); done == all {
			line.End()
		}
	}
}

// mostShown is how many faults or notes of a check are written for people.
const mostShown = 5

func writeAudit(out io.Writer, r audit.Result) {
	fmt.Fprintf(out, "%s\n", r.Site)
	for _, c := range r.Checks {
		if c.OK {
			fmt.Fprintf(out, "  %-11s ok      %s\n", c.Name, c.Found)
		}
		for i, text := range shortened(c.Faults) {
			if text = escape.Line(text); i == 0 {
				fmt.Fprintf(out, "  %-11s FAILED  %s\n", c.Name, text)
			} else {
				fmt.Fprintf(out, "  %-11s         %s\n", "", text)
			}
		}
		for _, text := range shortened(c.Notes) {
			fmt.Fprintf(out, "  %-11s note    %s\n", "", escape.Line(text))
		}
	}
}

// shortened are the first of some texts, and how many more there are.
func shortened(all []string) []string {
	if more := len(all) - mostShown; more > 1 {
		return append(slices.Clone(all[:mostShown]), fmt.Sprintf("and %d more; --format=json has them", more))
	}
	return all
}
