// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// showProfiles lists the profiles, or prints one: its file is what the prometheus section would
// have to say without it.
type showProfiles struct {
	name string
}

func (p *showProfiles) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("profiles", "List the profiles of exporters, or print one.").HelpLong(`
A profile says what the counters, modes and labels of an exporter are called. Choose
one with prometheus.profile; each line of it can be overridden in the prometheus section
of the configuration file. Without NAME, all profiles are listed. With it, that profile
is printed as a prometheus section, with comments.

Example:

    carbontool profiles kubernetes
`)
	c.Arg("NAME", "The profile to print.").StringVar(&p.name)
	return c
}

func (p *showProfiles) run(_ context.Context, s streams) error {
	if p.name != "" {
		text, err := config.ProfileText(p.name)
		if err != nil {
			return wrongUsef("there is no profile %q; there are: %s", p.name, strings.Join(config.Profiles(), ", "))
		}
		_, err = s.out.Write(text)
		return err
	}
	for _, name := range config.Profiles() {
		text, err := config.ProfileText(name)
		if err != nil {
			return err
		}
		if name == config.DefaultProfile {
			name += " (default)"
		}
		fmt.Fprintf(s.out, "%-24s %s\n", name, firstSentence(string(text)))
	}
	return nil
}

// firstSentence returns that of the comment with which a file begins.
func firstSentence(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(line, "#")
		if !ok {
			break
		}
		words = append(words, strings.Fields(comment)...)
	}
	for i, word := range words {
		if strings.HasSuffix(word, ".") {
			words = words[:i+1]
			break
		}
	}
	return strings.Join(words, " ")
}
