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
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/manual"
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
// ErrAnswered instead. An answer that cannot be written is an
// error as it is; every other error is a UsageError.
func Parse(app *kingpin.Application, args []string, stdout io.Writer) (command string, err error) {
	return ParseWithManual(app, manual.Page{}, args, stdout)
}

// ParseWithManual is Parse for a program whose manual page says more than its flags do.
// Kingpin's own page is no valid one, and it has no completion for fish: both are written here.
func ParseWithManual(app *kingpin.Application, page manual.Page, args []string, stdout io.Writer) (command string, err error) {
	args = joined(args)
	app.Flag("completion-script-fish", "Generate completion script for fish.").Hidden().Bool()
	context, wrong := app.ParseContext(args)
	switch {
	case asked(context, "help-man"):
		return "", answered(page.Write(stdout, app.Model()))
	case asked(context, "completion-script-fish"):
		return "", answered(manual.Fish(stdout, app.Name))
	}
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

// asked is whether a switch is among the arguments.
func asked(context *kingpin.ParseContext, name string) bool {
	return context != nil && slices.ContainsFunc(context.Elements, func(e *kingpin.ParseElement) bool {
		flag, ok := e.Clause.(*kingpin.FlagClause)
		return ok && flag.Model().Name == name && *e.Value == "true"
	})
}

func answered(err error) error {
	if err != nil {
		return err
	}
	return ErrAnswered
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
