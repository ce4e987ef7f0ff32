// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// backup copies the store, even while it is in use.
type backup struct {
	site
	file string
}

func (b *backup) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("backup", "Copy the store, even while carbon_exporter is using it.").HelpLong(`
Writes the store as it is at one moment into one compact file. FILE must not
exist. The copy is written under another name (FILE.partial-...), read back and
only then renamed to FILE: if the command ends early, FILE is never half a copy.

To restore a copy, stop carbon_exporter, move its store and the -wal and -shm
files beside it away, and put the copy in place of the store. carbon_exporter
does not start with a -wal that belongs to another file.

A copy holds the ids of people, including those who are forgotten later.

Example:

    carbontool backup /backup/carbon-2026-10-01.db
`)
	b.registerFile(c)
	c.Arg("FILE", "The copy.").Required().StringVar(&b.file)
	return c
}

const megabyte = 1e6

func (b *backup) run(ctx context.Context, s streams) error {
	if b.file == "" { // a lone - is parsed as empty, too
		return wrongUsef("FILE must be the name of a file; the copy cannot go to standard output")
	}
	if err := b.there(); err != nil {
		return err
	}
	told, shown := (*progress.Line)(nil), 0
	size, err := store.Backup(ctx, b.storagePath, b.file, func(done, about int64) {
		if told == nil {
			told = watched(s.err, "MB", int(about/megabyte))
		}
		told.Add(int(done/megabyte)-shown, time.Time{})
		shown = int(done / megabyte)
	})
	if told != nil {
		told.End()
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: copied to %s, %.1f MB\n", b.storagePath, b.file, float64(size)/megabyte)
	return nil
}
