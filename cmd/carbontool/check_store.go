// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// checkStore checks that the store is undamaged and its numbers agree.
type checkStore struct {
	site
}

func (k *checkStore) register(app *kingpin.Application) *kingpin.CmdClause {
	c := group(app, "check", "Check a configuration file or a store.").
		Command("store", "Check that the store is undamaged and its sums are right.").HelpLong(`
Prints one line per check:

  file        every page can be read
  schema      the tables are those of this version
  references  every row that another row refers to exists
  intervals   each has what its state requires, and none is in the future
  scopes      projects, machine types and users add up to the site in every
              interval, and to the facts
  sums        the daily and all-time sums match the facts
  statements  each statement that was issued is there, as it was issued

Nothing is changed, and an older store is not upgraded. carbon_exporter may be
running, and the file may be read-only. The whole file is read, parts of it more
than once.

Example:

    carbontool check store --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	k.registerFile(c)
	return c
}

func (k *checkStore) run(ctx context.Context, s streams) error {
	if err := k.there(); err != nil {
		return err
	}
	told, shown := (*progress.Line)(nil), 0
	verdicts, err := store.Verify(ctx, k.storagePath, time.Now(), func(done, all int, at time.Time) {
		if told == nil {
			told = watched(s.err, "intervals", all)
		}
		told.Add(done-shown, at)
		shown = done
	})
	if told != nil {
		told.End()
	}
	if err != nil {
		return err
	}
	failed := 0
	for _, v := range verdicts {
		if v.Count > 0 {
			failed++
		}
		sayVerdict(s.out, v)
	}
	if failed > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", k.storagePath, failed, len(verdicts))
	}
	return nil
}

// sayVerdict writes the line of a check. Faults may have several lines.
func sayVerdict(out io.Writer, v store.Verdict) {
	if v.Count == 0 {
		fmt.Fprintln(out, strings.TrimRight(fmt.Sprintf("%-11s ok      %s", v.Check, v.Found), " "))
		return
	}
	faults := strings.Join(strings.Fields(strings.Join(v.Faults, "; ")), " ")
	if more := v.Count - len(v.Faults); more > 0 {
		faults += fmt.Sprintf("; and %d more", more)
	}
	fmt.Fprintf(out, "%-11s FAILED  %s\n", v.Check, faults)
}
