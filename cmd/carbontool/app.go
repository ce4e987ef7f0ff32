package main

import (
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
)

func newApp() *kingpin.Application {
	app := kingpin.New("carbontool", "Tools for operating carbon_exporter.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbontool"))
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

// parse returns the name of the command in the arguments. For --help and --version it returns
// commandline.ErrAnswered.
func parse(app *kingpin.Application, args []string, stdout io.Writer) (name string, err error) {
	if context, err := app.ParseContext(args); err == nil && len(context.Elements) == 0 {
		// Kingpin would print the help and exit with 0.
		return "", kingpin.ErrCommandNotSpecified
	}
	return commandline.Parse(app, args, stdout)
}
