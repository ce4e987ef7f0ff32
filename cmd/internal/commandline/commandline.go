// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package commandline parses arguments without ending the process, so that tests can call a
// whole program, and says what is wrong with them: which flag, and where the help is. It must not
// know any flag. Start with Parse.
package commandline

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/alecthomas/kingpin/v2"
)

// ErrAnswered means that the arguments requested a text, such as --help, which has been
// written.
var ErrAnswered = errors.New("answered")

// UsageError is what is wrong with the arguments.
type UsageError struct {
	Command string // whose arguments they are; empty: the program's
	error
}

func (e *UsageError) Unwrap() error { return e.error }

// Parse returns the name of the command in the arguments, if there are commands. Kingpin would
// end the process after --help and --version, whose text goes to stdout; Parse returns
// ErrAnswered instead. Every other error is a UsageError.
func Parse(app *kingpin.Application, args []string, stdout io.Writer) (command string, err error) {
	args = joined(args)
	context, wrong := app.ParseContext(args)
	if wrong == nil && len(context.Elements) == 0 && len(app.Model().Commands) > 0 {
		// Kingpin would print the help and exit with 0.
		return "", &UsageError{"", kingpin.ErrCommandNotSpecified}
	}
	app.UsageWriter(stdout)
	app.Terminate(func(int) { panic(ErrAnswered) })
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case ErrAnswered:
			err = ErrAnswered
		default:
			panic(reason)
		}
	}()
	if command, err = app.Parse(args); err == nil {
		return command, nil
	}
	of := ""
	if context != nil && context.SelectedCommand != nil {
		of = context.SelectedCommand.FullCommand()
	}
	if wrong == nil {
		err = named(context, err)
	}
	return command, &UsageError{of, inWords(err)}
}

// negative is a value that looks like a flag, such as a time in the past.
var negative = regexp.MustCompile("^-[0-9]")

// joined writes --from -1h as --from=-1h. No flag is a digit.
func joined(args []string) []string {
	var all []string
	for i, arg := range args {
		if arg == "--" {
			return append(all, args[i:]...)
		}
		if n := len(all) - 1; n >= 0 && negative.MatchString(arg) && strings.HasPrefix(all[n], "--") && !strings.Contains(all[n], "=") {
			all[n] += "=" + arg
			continue
		}
		all = append(all, arg)
	}
	return all
}
