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

// checkStore says whether the store is whole and its numbers agree.
type checkStore struct {
	site
}

func (k *checkStore) register(app *kingpin.Application) *kingpin.CmdClause {
	c := group(app, "check", "Check the resources for validity.").
		Command("store", "Check that the store is whole and its sums hold.").HelpLong(`
One line for each check: file (every page reads as it should), schema,
references, intervals (each has what its state says, nothing is of the future),
scopes (projects, machine types and users add up to the site at every interval,
and are the sums of the facts), sums (of each key by day and of all time).

The file is never changed, also not one of an older program. carbon_exporter may
run meanwhile; a copy that cannot be written will do. It reads the whole file,
some of it more than once.

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

// sayVerdict writes a check's line, whatever its faults are made of.
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
