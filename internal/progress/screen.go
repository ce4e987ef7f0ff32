// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"os"

	"golang.org/x/term"
)

// Screen returns how many columns a stream's terminal has, 0 if it does not report that, and
// whether a line can be redrawn there: not in a pipe or file, and not if TERM says that the
// terminal is dumb.
func Screen(stream any) (columns int, redraws bool) {
	if !Terminal(stream) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(stream.(*os.File).Fd()))
	if err != nil {
		columns = 0
	}
	return columns, os.Getenv("TERM") != "dumb"
}

// Terminal reports whether a stream is a terminal, where somebody may be watching.
func Terminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && file != nil && term.IsTerminal(int(file.Fd()))
}
