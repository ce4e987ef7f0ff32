// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/stating"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/statement"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// stateMonth issues monthly statements and writes those that were issued.
type stateMonth struct {
	site
	do                       string
	month                    string
	group, project           string
	groupGiven, projectGiven bool
	number                   int
	numberGiven              bool
	format                   string
	preview                  bool
	provisional              bool
	csvSafe                  csvSafe
}

// What the command does beside writing a statement.
const (
	listStatements   = "list"
	verifyStatements = "verify"
)

func (m *stateMonth) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("statement", "Issue the monthly statement of a group, a project or the site.").HelpLong(`
Writes a statement of energy and carbon that you can send: by project, machine type
and person, with bounds, coverage, other months, budgets and how the numbers were made.
HTML is one file for a screen and for paper.

A statement is issued once. It gets the next number and is kept in the store with its
hash and the hash of the statement before. Asking for the same month and subject again
writes the same statement, to the byte, and so does --number. What changes in the store
later is an adjustment in the next statement of the same subject: a statement that was
sent stays as it is. Statements and adjustments add up to what the store has.

The month must be over. If intervals of it are not final or missing, the command says
so and issues nothing; --provisional issues it all the same. --preview shows what would
be issued and keeps nothing.

People are shown as on /metrics (attribution.user_label and max_users), never by name.
After forget-user a statement shows the alias, and its hash still holds.

  list     lists all statements
  verify   checks that none was changed or removed; check store does it, too

carbon_exporter may run at the same time.

Example:

    carbontool statement --month=2026-10 --group=ISIS > isis-2026-10.html
    carbontool statement --month=2026-10 --preview --format=csv
    carbontool statement --number=12 --format=json
    carbontool statement list
`)
	m.site.register(c)
	c.Flag("month", "The calendar month, such as 2026-10.").PlaceHolder("MONTH").StringVar(&m.month)
	c.Flag("group", "State the usage of a group. Without it and --project: of the whole site.").IsSetByUser(&m.groupGiven).StringVar(&m.group)
	c.Flag("project", "State the usage of a project.").IsSetByUser(&m.projectGiven).StringVar(&m.project)
	c.Flag("number", "Write the statement of this number, which was issued before.").PlaceHolder("N").IsSetByUser(&m.numberGiven).IntVar(&m.number)
	c.Flag("format", "Output format: html, csv or json.").Default("html").EnumVar(&m.format, "html", "csv", "json")
	c.Flag("preview", "Show what would be issued, marked as a draft, and keep nothing.").BoolVar(&m.preview)
	c.Flag("provisional", "Issue the statement although intervals are not final or missing.").BoolVar(&m.provisional)
	m.csvSafe.register(c)
	c.Arg("do", "list or verify; without it: write a statement.").EnumVar(&m.do, listStatements, verifyStatements)
	return c
}

// check refuses flags that do not go together.
func (m *stateMonth) check() error {
	asked := m.month != "" || m.groupGiven || m.projectGiven || m.numberGiven || m.preview || m.provisional
	switch {
	case m.do != "" && asked:
		return wrongUsef("%s: is of all statements; leave out --month, --group, --project, --number, --preview and --provisional", m.do)
	case m.do != "":
	case m.numberGiven && (m.month != "" || m.groupGiven || m.projectGiven || m.preview || m.provisional):
		return wrongUsef("--number cannot be combined with --month, --group, --project, --preview or --provisional")
	case m.numberGiven && m.number < 1:
		return wrongUsef("--number: must be at least 1, is %d", m.number)
	case m.numberGiven:
	case m.groupGiven && m.projectGiven:
		return wrongUsef("--group and --project cannot be combined")
	case m.month == "":
		return wrongUsef("no month: give --month, such as --month=2026-10, or --number")
	case m.groupGiven && m.group == "" || m.projectGiven && m.project == "":
		return wrongUsef("--group or --project is empty")
	}
	if _, err := time.Parse("2006-01", m.month); m.month != "" && err != nil {
		return wrongUsef("--month: %q is not a month such as 2026-10", m.month)
	}
	return nil
}

func (m *stateMonth) run(ctx context.Context, s streams) error {
	if err := m.check(); err != nil {
		return err
	}
	c, err := m.config()
	if err != nil {
		return err
	}
	open := m.openToRead
	if m.do == "" && !m.numberGiven && !m.preview {
		open = m.open
	}
	st, err := open(ctx, c)
	if err != nil {
		return err
	}
	defer st.Close()
	switch m.do {
	case listStatements:
		return listAllStatements(ctx, s, st)
	case verifyStatements:
		return m.verify(ctx, s, st)
	}
	p, err := m.printable(ctx, s, c, st)
	if err != nil {
		return err
	}
	return m.write(p, s.out)
}

// printable is the statement that was asked for, which may be issued for it.
func (m *stateMonth) printable(ctx context.Context, s streams, c *config.Config, st *store.Store) (statement.Print, error) {
	if m.numberGiven {
		kept, err := st.Statement(ctx, m.number)
		if err == nil && kept == nil {
			err = fmt.Errorf("the store has no statement %d; see carbontool statement list", m.number)
		}
		if err != nil {
			return statement.Print{}, err
		}
		return statement.Of(*kept)
	}
	labels, err := parts.Labels(c.Attribution)
	if err != nil {
		return statement.Print{}, err
	}
	c.Timezone = st.Timezone().String() // without a file, the months are those of the store
	maker := stating.Maker{Store: st, Config: c, Labels: labels, Now: time.Now(), Version: version.Version}
	of := m.subject()
	if m.preview {
		return maker.Preview(ctx, of)
	}
	kept, fresh, err := maker.Issue(ctx, of, m.provisional)
	if err != nil {
		return statement.Print{}, err
	}
	if fresh {
		fmt.Fprintf(s.err, "carbontool statement: issued statement %d, SHA-256 %s\n", kept.Number, kept.Hash)
	} else {
		fmt.Fprintf(s.err, "carbontool statement: this is statement %d, issued at %s\n", kept.Number, kept.IssuedAt.Format(time.RFC3339))
	}
	return statement.Of(kept)
}

func (m *stateMonth) subject() stating.Subject {
	of := stating.Subject{Scope: usage.ScopeAda, Member: string(usage.ScopeAda), Month: m.month}
	switch {
	case m.groupGiven:
		of.Scope, of.Member = usage.ScopeGroup, m.group
	case m.projectGiven:
		of.Scope, of.Member = usage.ScopeProject, m.project
	}
	return of
}

func (m *stateMonth) write(p statement.Print, out io.Writer) error {
	switch m.format {
	case "csv":
		return p.WriteCSV(out, m.csvSafe.text)
	case "json":
		return p.WriteJSON(out)
	}
	return p.WriteHTML(out)
}

func (m *stateMonth) verify(ctx context.Context, s streams, st *store.Store) error {
	verdict, err := st.VerifyStatements(ctx)
	if err != nil {
		return err
	}
	sayVerdict(s.out, verdict)
	if verdict.Count > 0 {
		return errors.New("statements were changed or removed; compare them with a backup and with those that were sent")
	}
	return nil
}
