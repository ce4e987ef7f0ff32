package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// wrongUse is an error of whoever typed the command: a flag that is missing, a
// date that is none. The program then ends with 2.
type wrongUse struct{ error }

func (e wrongUse) Unwrap() error { return e.error }

func wrongUsef(format string, args ...any) error { return wrongUse{fmt.Errorf(format, args...)} }

// errReported is the error of a command that has said on stderr, in more than a
// line, why it failed.
var errReported = errors.New("failed as reported")

// end says in one line why the command of that name failed, if it did, and gives
// the exit code.
func end(ctx context.Context, name string, stderr io.Writer, err error) int {
	var wrong wrongUse
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "carbontool %s: %s; see carbontool %[1]s --help\n", name, oneLine(err))
		return exitUsage
	case ctx.Err() != nil:
		// The error is about what was cut short, and says so in many ways.
		fmt.Fprintf(stderr, "carbontool %s: interrupted: %s\n", name, oneLine(err))
		return exitFailed
	}
	fmt.Fprintf(stderr, "carbontool %s: %s\n", name, oneLine(err))
	return exitFailed
}

// oneLine joins the lines of several errors.
func oneLine(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}
