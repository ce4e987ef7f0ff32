// Command carbontool is the operator's tool beside carbon_exporter. Each command
// is a file of its own; this one knows only which there are and how a program
// ends: 0 done, 1 failed, 2 used in a wrong way.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// run is the whole program and returns its exit code.
func run(args []string, stdout, stderr io.Writer) int {
	app := kingpin.New("carbontool", "Tool for the operator of carbon_exporter.")
	app.HelpFlag.Short('h')
	app.Version(version.Print("carbontool"))

	check := app.Command("check", "Check the resources for validity.")
	checkConfig := check.Command("config", "Check a configuration file and say what it means.")
	checkConfigFile := checkConfig.Arg("FILE", "The configuration file to check.").Required().String()

	command, err := parse(app, args, stdout)
	switch {
	case errors.Is(err, errAnswered):
		return exitDone
	case err != nil:
		fmt.Fprintf(stderr, "carbontool: %s; see carbontool --help\n", err)
		return exitUsage
	}
	switch command {
	case checkConfig.FullCommand():
		return runCheckConfig(*checkConfigFile, stdout, stderr)
	default:
		panic("command without a case: " + command)
	}
}

// errAnswered says that the arguments asked for a text, such as --help, and that
// it is written.
var errAnswered = errors.New("answered")

// parse gives the command of the arguments. Kingpin ends the process behind
// --help and --version; here it comes back, so that run can be called in a test.
func parse(app *kingpin.Application, args []string, stdout io.Writer) (command string, err error) {
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
