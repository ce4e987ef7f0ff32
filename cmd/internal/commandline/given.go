// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package commandline

import (
	"net/url"

	"github.com/alecthomas/kingpin/v2"
)

// Given returns the flags of the command, without those of the program, that valid arguments give: for a
// switch, true or false.
func Given(app *kingpin.Application, args []string) url.Values {
	context, err := app.ParseContext(joined(args))
	if err != nil || context.SelectedCommand == nil {
		return nil
	}
	given := url.Values{}
	for _, element := range context.Elements {
		flag, ok := element.Clause.(*kingpin.FlagClause)
		if !ok {
			continue
		}
		if name := flag.Model().Name; context.SelectedCommand.GetFlag(name) == flag {
			given.Add(name, *element.Value)
		}
	}
	return given
}
