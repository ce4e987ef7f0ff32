// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func newApp() *kingpin.Application {
	app := kingpin.New("carbontool", "Tools for operating carbon_exporter.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbontool"))
	app.VersionFlag.Short('V')
	app.UsageTemplate(usageTemplate)
	return app
}

// usageTemplate is the one of kingpin. For the help of a single command, its long help
// and example follow at the end.
var usageTemplate = kingpin.DefaultUsageTemplate + `{{with .Context.SelectedCommand}}{{with .HelpLong}}{{.|Wrap 0}}{{end}}{{end -}}`

// group returns the parent of a command, such as check. The first command that needs it creates
// it.
func group(app *kingpin.Application, name, help string) *kingpin.CmdClause {
	if made := app.GetCommand(name); made != nil {
		return made
	}
	return app.Command(name, help)
}
