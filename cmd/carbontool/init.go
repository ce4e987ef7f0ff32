// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
	"github.com/carbon-exporter/carbon_exporter/internal/progress"
	"github.com/carbon-exporter/carbon_exporter/internal/proposal"
	"github.com/carbon-exporter/carbon_exporter/internal/survey"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// initialise proposes a configuration of what a Prometheus has, and writes it.
type initialise struct {
	prometheus string
	client     *kingpin.FlagClause // of the program
	output     string
	intensity  string
	timezone   string
	yes        bool
}

func (i *initialise) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("init", "Ask a Prometheus what it has, and write a configuration for it.").HelpLong(`
Finds out which CPU counters the server has and from which exporter, which label is
the machine, and which look like the project, the machine type and the user. It
proposes a configuration with the reason of each choice as a comment, shows what it
gives now, and writes it. On a terminal it asks; elsewhere --yes takes what is
proposed. An existing file is never overwritten.

A server that wants a password, a token or certificates: put Prometheus' HTTP client
settings into a file, with secrets in files of their own (password_file,
credentials_file), and give it with --http.config.file. Its settings are copied.

Every question to the server is small: counts of one mode of one metric.

Example:

    carbontool init --prometheus=http://localhost:9090
`)
	c.Flag("prometheus", "URL of the server, as in the browser. Without user and password.").Required().PlaceHolder("URL").StringVar(&i.prometheus)
	i.client = app.GetFlag(clientFlag)
	c.Flag("output", "File to write; it must not exist yet. - for standard output.").Default("carbon.yml").PlaceHolder("FILE").StringVar(&i.output)
	c.Flag("carbon-intensity", "uk for the grid of Great Britain, table=COUNTRY for the yearly mean of another country, such as table=FR, or static=GRAMS,GRID for one value in gCO2eq/kWh, such as static=56,FR.").
		PlaceHolder("uk|table=...|static=...").StringVar(&i.intensity)
	c.Flag("timezone", "Time zone for budgets and reports, such as Europe/Paris. Default: this machine's.").PlaceHolder("ZONE").StringVar(&i.timezone)
	c.Flag("yes", "Do not ask: take what is proposed.").BoolVar(&i.yes)
	return c
}

func (i *initialise) run(ctx context.Context, s streams) error {
	if !i.yes && !progress.Terminal(s.in) {
		return wrongUsef("standard input is not a terminal, so there is nobody to answer: add --yes to take what is proposed")
	}
	from, err := i.server()
	if err != nil {
		return err
	}
	set := proposal.Settings{}
	if err := i.given(&set); err != nil {
		return err
	}
	if i.output != "-" {
		if _, err := os.Lstat(i.output); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write %s: %w", i.output, newfile.ErrExists)
		}
	}
	var person *dialogue
	if !i.yes {
		person = newDialogue(s.in, s.err)
	}
	return i.propose(ctx, s, person, from, set)
}

// server is where to ask, and how.
func (i *initialise) server() (config.Prometheus, error) {
	c := config.Default().Prometheus
	u, err := url.Parse(i.prometheus)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return c, wrongUsef("--prometheus must be a URL such as http://localhost:9090")
	case u.User != nil:
		// It would be in the shell's history and the process list already, but need not be in a file.
		return c, wrongUsef("--prometheus must be without user and password: put basic_auth, with username and password_file, into a file for --http.config.file")
	}
	u.RawQuery, u.Fragment = "", "" // a browser's address of a page has them
	u.Path = strings.TrimRight(u.Path, "/")
	c.URL.URL = u
	file := i.client.Model().Value.String()
	if file == "" {
		return c, nil
	}
	client, err := readClient(file)
	if err == nil {
		_, err = clientText(client)
	}
	if err != nil {
		return c, wrongUsef("--http.config.file %s: %w", file, err)
	}
	c.HTTPClientConfig = client
	return c, nil
}

// propose asks the server, then the person, shows what comes of it, and writes it.
func (i *initialise) propose(ctx context.Context, s streams, person *dialogue, from config.Prometheus, set proposal.Settings) error {
	asker, err := parts.Asker(from, s.time().Now)
	if err != nil {
		return err
	}
	set.Server, err = i.find(ctx, s.err, asker)
	if err != nil {
		return unanswered(asker, err)
	}
	if person != nil {
		fmt.Fprintf(s.err, "Asking %s what it has ...\n", escape.Line(asker.URL.String()))
	}
	set.URL = asker.URL.String()
	if set.Client, err = clientText(from.HTTPClientConfig); err != nil {
		return err
	}
	facts, err := asker.Facts(ctx)
	if err != nil {
		return unanswered(asker, err)
	}
	offers := proposal.Offers(facts)
	if len(offers) == 0 {
		return nothing(set.URL, facts)
	}
	set.Processors, set.Meters = facts.Processors, facts.Meters
	p, err := choose(ctx, s.err, person, offers, &set)
	if err != nil {
		return err
	}
	text := p.File(set)
	c, err := i.checked(text)
	if err != nil {
		return err
	}
	if len(set.Meters) > 0 {
		fmt.Fprintf(s.err, "It has meters of power, which the file proposes and does not switch on: %s.\n", strings.Join(set.Meters, ", "))
	}
	i.warn(s.err, p, set, facts)
	if err := i.preview(ctx, s, c, set.Server, p.Exporter.Scrape); err != nil {
		return err
	}
	if person != nil {
		if err := person.agree(ctx, "Write "+i.target()+"?"); err != nil {
			return err
		}
	}
	return i.write(s, text)
}

// unanswered says why in the words of doctor: whoever runs init knows the address, and no query.
func unanswered(asker *survey.Asker, err error) error {
	if f := usage.FailureOf(err); f == nil || f.Cause == "" {
		return err
	}
	return fmt.Errorf("ask %s: %s", asker.URL, usage.Cause(err))
}

// find makes sure that there is a server, even if the address is that of one of its pages.
func (i *initialise) find(ctx context.Context, out io.Writer, asker *survey.Asker) (survey.Server, error) {
	server, err := asker.Ask(ctx)
	if err == nil || ctx.Err() != nil {
		return server, err
	}
	other := asker.Instead(ctx)
	if other == nil {
		return server, err
	}
	fmt.Fprintf(out, "There is no API at %s, but at %s.\n", escape.Line(asker.URL.String()), escape.Line(other.String()))
	asker.URL = other
	return asker.Ask(ctx)
}

// checked parses the text, as check config does: a file that is not valid is not written.
func (i *initialise) checked(text string) (*config.Config, error) {
	name := i.output
	if name == "-" {
		name = "carbon.yml"
	}
	c, err := config.Parse(name, []byte(text))
	if err == nil {
		err = parts.Check(c)
	}
	if err != nil {
		return nil, fmt.Errorf("check what was going to be written: %w", err)
	}
	return c, nil
}

func (i *initialise) target() string {
	if i.output == "-" {
		return "it to standard output"
	}
	return i.output
}

func (i *initialise) write(s streams, text string) error {
	if i.output == "-" {
		_, err := io.WriteString(s.out, text)
		return err
	}
	partial, err := newfile.Reserve(i.output, 0o640)
	if err != nil {
		return fmt.Errorf("write %s: %w", i.output, err)
	}
	if err := os.WriteFile(partial, []byte(text), 0o640); err != nil {
		newfile.Abandon(partial)
		return err
	}
	if _, err := newfile.Finish(partial, i.output); err != nil {
		return fmt.Errorf("write %s: %w", i.output, err)
	}
	file := escape.Name(i.output)
	fmt.Fprintf(s.out, "Wrote %s. Next:\n  carbontool check config %s\n  carbon_exporter --config.file=%s\n", file, file, file)
	return nil
}

// nothing says what a server has that has nothing to count.
func nothing(address string, f survey.Facts) error {
	said := []string{address + " has no CPU counters that a profile reads"}
	for _, e := range f.Exporters {
		if e.Unread != "" {
			said = append(said, fmt.Sprintf("it has %s, but %s", e.Metric, e.Unread))
		}
	}
	switch jobs := names(f.Jobs); {
	case len(jobs) > 0:
		said = append(said, "it scrapes the jobs "+strings.Join(jobs, ", "))
	case len(f.Exporters) == 0:
		said = append(said, "it scrapes nothing at all")
	}
	if len(f.Likely) > 0 {
		said = append(said, "these metrics look like CPU time: "+strings.Join(f.Likely, ", "))
	}
	said = append(append(said, f.Unasked...), "see docs/profiles.md for what can be read")
	return errors.New(strings.Join(said, "; "))
}

func names(counts []survey.Count) []string {
	all := make([]string, len(counts))
	for i, c := range counts {
		all[i] = escape.Name(c.Name)
	}
	return all
}
