package main

import (
	"errors"
	"io"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func newApp() *kingpin.Application {
	app := kingpin.New("carbontool", "Tool for the operator of carbon_exporter.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbontool"))
	app.UsageTemplate(usageTemplate)
	return app
}

// usageTemplate is kingpin's own, with the long help of a command and its example
// at the end, where the help of that command alone was asked for.
var usageTemplate = kingpin.DefaultUsageTemplate + `{{with .Context.SelectedCommand}}{{with .HelpLong}}{{.|Wrap 0}}{{end}}{{end -}}`

// group is the command that holds others, such as check; the first of them makes
// it.
func group(app *kingpin.Application, name, help string) *kingpin.CmdClause {
	if made := app.GetCommand(name); made != nil {
		return made
	}
	return app.Command(name, help)
}

// errAnswered says that the arguments asked for a text, such as --help, and that
// it is written.
var errAnswered = errors.New("answered")

// parse gives the name of the command in the arguments. Kingpin ends the process
// behind --help and --version; here it comes back, so that run can be called in a
// test.
func parse(app *kingpin.Application, args []string, stdout io.Writer) (name string, err error) {
	if context, err := app.ParseContext(args); err == nil && len(context.Elements) == 0 {
		// Kingpin takes this for a call for help and ends with 0.
		return "", kingpin.ErrCommandNotSpecified
	}
	app.UsageWriter(stdout)
	app.Terminate(func(int) { panic(errAnswered) })
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case errAnswered:
			err = errAnswered
		default:
			panic(reason)
		}
	}()
	return app.Parse(args)
}
