// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/commandline"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
)

// wrongUse is a usage error, such as a missing flag or an invalid date. The program
// then exits with 2.
type wrongUse = commandline.Wrong

func wrongUsef(format string, args ...any) error { return commandline.Wrongf(format, args...) }

// errReported is the error of a command that has already printed to stderr, in several lines,
// why it failed.
var errReported = errors.New("failed as reported")

// end prints one line if a command failed, with the reason, and returns the exit code.
func end(ctx context.Context, name string, stderr io.Writer, err error) int {
	var wrong wrongUse
	var decided verdict
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errReported):
		return exitFailed
	case errors.As(err, &decided):
		return int(decided)
	case errors.As(err, &wrong):
		fmt.Fprintf(stderr, "carbontool %s: %s; see carbontool %[1]s --help\n", name, oneLine(err))
		return exitUsage
	case ctx.Err() != nil:
		// The error is about whatever was interrupted, with many possible texts.
		fmt.Fprintf(stderr, "carbontool %s: interrupted: %s\n", name, oneLine(err))
		return exitFailed
	}
	fmt.Fprintf(stderr, "carbontool %s: %s\n", name, oneLine(err))
	return exitFailed
}

// oneLine joins several errors in one line, and escapes for the terminal what servers put into
// them.
func oneLine(err error) string { return escape.Line(err.Error()) }

// verdict is the exit code of a command that has said all in its output.
type verdict int

func (v verdict) Error() string { return "exit code " + strconv.Itoa(int(v)) }
