// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
)

// forgetUser removes a person from the store. Its output never names the person,
// because it may end up in a ticket or a log.
type forgetUser struct {
	site
	user string
	yes  bool
}

func (f *forgetUser) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("forget-user", "Remove a person from the store. All totals stay the same.").HelpLong(`
The person's past usage is kept under a random alias, their name and workspaces are
deleted, and their future usage is "unattributed". The file is rewritten so that its
free pages hold no trace; this takes as long as copying the file and temporarily needs
as much free space again. carbon_exporter may run at the same time. This cannot be
undone, so the command first says what there is of the person, and asks. An id that the
store does not know is an error, before anything is asked or changed.

Example:

    carbontool forget-user alice --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	f.site.register(c)
	c.Flag("yes", "Do not ask for confirmation.").BoolVar(&f.yes)
	c.Arg("ID", "Id of the user, as in the label user and the table dim_user.").Required().StringVar(&f.user)
	return c
}

func (f *forgetUser) run(ctx context.Context, s streams) error {
	c, err := f.config()
	if err != nil {
		return err
	}
	st, err := f.open(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	if err := f.look(ctx, s, st); err != nil {
		return err
	}
	alias, found, err := st.Forget(ctx, f.user)
	if found {
		f.report(s.out, c, alias, err == nil)
	}
	if err == nil && !found {
		return fmt.Errorf("forget a user in %s: already forgotten; the file was rewritten once more", f.storagePath)
	}
	return err
}

// look says what there is to forget, and asks unless told not to. Somebody who is not there is
// nothing to ask about.
func (f *forgetUser) look(ctx context.Context, s streams, st *store.Store) error {
	traces, err := st.Traces(ctx, f.user)
	switch {
	case err != nil:
		return err
	case !traces.Any() && !traces.Forgotten:
		return fmt.Errorf("forget a user in %s: there is no such user; nothing was changed", f.storagePath)
	case f.yes:
		return nil
	case !progress.Terminal(s.in):
		return wrongUsef("standard input is not a terminal, so there is nobody to confirm: add --yes")
	case traces.Forgotten:
		return confirm(ctx, s, fmt.Sprintf("%q is forgotten in %s already. Rewrite the file once more, in case that failed? Type yes: ", f.user, f.storagePath))
	}
	fmt.Fprintf(s.err, "%s has of %q: %s.\n", f.storagePath, f.user, described(traces, st.Timezone()))
	return confirm(ctx, s, fmt.Sprintf("Forget %q in %s? This cannot be undone. Type yes: ", f.user, f.storagePath))
}

// described lists traces in words.
func described(t store.Traces, zone *time.Location) string {
	usage := "no usage"
	if t.Intervals > 0 {
		usage = fmt.Sprintf("usage in %s, from %s to %s", intervals(t.Intervals), t.First.In(zone).Format(time.DateOnly), t.Last.In(zone).Format(time.DateOnly))
	}
	all := []string{usage}
	for _, of := range []struct {
		n    int
		what string
	}{{t.Workspaces, "active workspace"}, {t.Tenures, "ownership record"}, {t.Memberships, "group membership"}, {t.Statements, "statement"}} {
		if of.n > 0 {
			all = append(all, counted(of.n, of.what))
		}
	}
	return strings.Join(all, ", ")
}

// report prints what was done and what remains to do.
func (f *forgetUser) report(out io.Writer, c *config.Config, alias string, rewritten bool) {
	fmt.Fprintf(out, "Removed the user from %s. Past usage now belongs to %s, all totals are unchanged, and future usage is unattributed.\n", f.storagePath, alias)
	if rewritten {
		fmt.Fprintln(out, "The file was rewritten, so its free pages hold no trace of the user.")
	}
	fmt.Fprintln(out, "Not covered; remove these yourself:")
	if m := c.MongoDB; m != nil {
		fmt.Fprintf(out, "- the documents in MongoDB, database %s (%s, %s, %s)\n", m.Database, m.Collections.Users, m.Collections.Groups, m.Collections.Workspaces)
		if m.UsageDatabase != "" {
			fmt.Fprintf(out, "- documents of user_usage in MongoDB, database %s, for intervals deleted by --storage.retention;\n"+
				"  carbon_exporter rewrites all others without the user\n", m.UsageDatabase)
		}
	}
	if l := c.Lake; l != nil {
		fmt.Fprintf(out, "- earlier versions of files of site %s that the bucket of the lake keeps itself;\n"+
			"  carbon_exporter rewrites all files that name the user\n", l.Site)
	}
	switch d := c.Directory; {
	case d == nil:
	case d.File != "":
		fmt.Fprintf(out, "- the rows of %s that name the user\n", d.File)
	default:
		fmt.Fprintln(out, "- series of the directory's metrics that name the user")
	}
	fmt.Fprint(out, "- series in Prometheus that have the label user, from carbon_exporter and from the machines\n"+
		"- backups, copies and exports of the store\n"+
		"- statements that were sent; those that the store keeps show the alias now\n")
}

// confirm asks on a terminal and fails unless the answer is yes.
func confirm(ctx context.Context, s streams, question string) error {
	fmt.Fprint(s.err, question)
	answer := make(chan string, 1)
	// A read from a terminal cannot be cancelled: after Ctrl-C it ends with the program.
	go func() {
		line, _ := bufio.NewReader(s.in).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(s.err)
		return errors.New("nothing was changed")
	case said := <-answer:
		if !strings.EqualFold(said, "yes") {
			return errors.New("the answer was not yes, nothing was changed")
		}
		return nil
	}
}
