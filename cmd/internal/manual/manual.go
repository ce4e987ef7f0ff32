// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package manual writes the manual page of a program, in mdoc: its flags and commands as they
// are registered, and what no flag says. It must not know any flag. Start with Page.Write.
package manual

import (
	"cmp"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// Page is what the manual page of a program says that its flags do not.
type Page struct {
	// Summary is a few words that follow the name, without a full stop.
	Summary string
	// Description has paragraphs.
	Description []string
	// Exit has the exit codes, Files the files and folders.
	Exit, Files []Item
	Examples    []Item // what is done, and the command
	// SeeAlso names other pages of section 1.
	SeeAlso []string
	// Web is where the documentation is.
	Web string
	// Release is the version, and Date when it was made; zero if that is not known.
	Release string
	Date    time.Time
}

// Item is a term and what it is.
type Item struct{ Term, Text string }

// Write writes the page of a program.
func (p Page) Write(w io.Writer, app *kingpin.ApplicationModel) error {
	var r roff
	date := ""
	if !p.Date.IsZero() {
		date = p.Date.UTC().Format("January 2, 2006")
	}
	r.macro("Dd", date)
	r.macro("Dt", strings.ToUpper(app.Name), "1")
	r.macro("Os", strings.TrimSpace(app.Name+" "+p.Release))
	r.section("NAME")
	r.macro("Nm", app.Name)
	r.macro("Nd", cmp.Or(p.Summary, strings.TrimSuffix(app.Help, ".")))
	r.section("SYNOPSIS")
	r.synopsis(app.Name, "", app.FlagGroupModel, app.ArgGroupModel, len(app.Commands) > 0)
	r.section("DESCRIPTION")
	r.paragraphs(append([]string{app.Help}, p.Description...))
	r.section("OPTIONS")
	r.flags(app.Flags)
	if len(app.Commands) > 0 {
		r.section("COMMANDS")
		for _, c := range app.FlattenedCommands() {
			if !c.Hidden {
				r.command(app.Name, c)
			}
		}
	}
	r.items("FILES", "Pa", p.Files)
	r.items("EXIT STATUS", "It", p.Exit)
	if len(p.Examples) > 0 {
		r.section("EXAMPLES")
		for i, e := range p.Examples {
			if i > 0 {
				r.macro("Pp")
			}
			r.text(e.Text)
			r.literal(strings.Split(e.Term, "\n"))
		}
	}
	r.seeAlso(p.SeeAlso, p.Web)
	_, err := io.WriteString(w, r.String())
	return err
}

// command is the part about one command.
func (r *roff) command(program string, c *kingpin.CmdModel) {
	r.macro("Ss", c.FullCommand)
	r.synopsis(program, c.FullCommand, c.FlagGroupModel, c.ArgGroupModel, false)
	r.macro("Pp")
	r.text(c.Help)
	r.arguments(c.Args)
	r.flags(c.Flags)
	r.blocks(c.HelpLong)
}

// seeAlso names other pages, sorted, and the documentation.
func (r *roff) seeAlso(pages []string, web string) {
	if len(pages) == 0 && web == "" {
		return
	}
	r.section("SEE ALSO")
	for i, name := range pages {
		if i < len(pages)-1 || web != "" {
			r.macro("Xr", name, "1", ",")
		} else {
			r.macro("Xr", name, "1")
		}
	}
	if web != "" {
		r.macro("Lk", web)
	}
}
