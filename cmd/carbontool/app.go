// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func newApp() (*kingpin.Application, *serverFlags) {
	app := kingpin.New("carbontool", "Tools for operating carbon_exporter.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbontool"))
	app.VersionFlag.Short('V')
	app.UsageTemplate(usageTemplate)
	app.UsageFuncs(template.FuncMap{"FlagsOf": flagsOf})
	from := &serverFlags{}
	from.register(app)
	return app, from
}

// usageTemplate is the one of kingpin, with the flags of the command at hand. For the help of a single
// command, its long help and example follow at the end.
var usageTemplate = strings.Replace(kingpin.DefaultUsageTemplate, ".Context.Flags|FlagsToTwoColumns", "FlagsOf .Context.SelectedCommand .Context.Flags|FlagsToTwoColumns", 1) +
	`{{with .Context.SelectedCommand}}{{with .HelpLong}}{{.|Wrap 0}}{{end}}{{end -}}`

// flagsOf leaves out, in the help of a command, the flags of the program that are not for it.
func flagsOf(selected *kingpin.CmdModel, flags []*kingpin.FlagModel) (some []*kingpin.FlagModel) {
	asks := true // the program itself
	client := false
	if selected != nil {
		for _, c := range commands() {
			if c.register(kingpin.New("", "")).FullCommand() == selected.FullCommand {
				_, asks = c.(byAPI)
				_, client = c.(*initialise)
			}
		}
	}
	for _, f := range flags {
		if f.Name == serverFlag && !asks || f.Name == clientFlag && !asks && !client {
			continue
		}
		some = append(some, f)
	}
	return some
}

// group returns the parent of a command, such as check. The first command that needs it creates
// it.
func group(app *kingpin.Application, name, help string) *kingpin.CmdClause {
	if made := app.GetCommand(name); made != nil {
		return made
	}
	return app.Command(name, help)
}
