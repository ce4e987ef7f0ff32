// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Nobody reads more or longer faults than this; a file of the wrong kind has a fault in each of
// its values.
const (
	maxFaults     = 100
	maxFaultBytes = 400
)

// faults collects everything that is wrong with a file, so that it can be fixed in one go. Each
// fault begins with the file's name and, if known, the line.
type faults struct {
	file  string
	lines map[string]int // line of each key, by its path
	found []fault
	more  int // number of faults left out
}

type fault struct {
	line int
	err  error
}

// at adds a fault at a line; 0 means an unknown line.
func (f *faults) at(line int, format string, args ...any) {
	if len(f.found) == maxFaults {
		f.more++
		return
	}
	where := f.file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", f.file, line)
	}
	err := fmt.Errorf(format, args...)
	if text := err.Error(); len(text) > maxFaultBytes {
		err = errors.New(strings.ToValidUTF8(text[:maxFaultBytes], "") + "...")
	}
	f.found = append(f.found, fault{line, fmt.Errorf("%s: %w", where, err)})
}

// key adds a fault of a key, such as power.machines.Muon.busy_watts.
func (f *faults) key(path, format string, args ...any) {
	f.at(f.line(path), "%s: %w", path, fmt.Errorf(format, args...))
}

// given reports whether the file has a key.
func (f *faults) given(path string) bool { return f.lines[path] != 0 }

// line returns the line of a key, or else of the nearest key around it: what is missing from an
// entry is reported at the entry.
func (f *faults) line(path string) int {
	for path != "" {
		if line, ok := f.lines[path]; ok {
			return line
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 0
}

// err returns all faults, one per line and in the order of the file, or nil.
func (f *faults) err() error {
	slices.SortStableFunc(f.found, func(a, b fault) int { return a.line - b.line })
	errs := make([]error, len(f.found))
	for i, fault := range f.found {
		errs[i] = fault.err
	}
	if f.more > 0 {
		errs = append(errs, fmt.Errorf("%s: and %d more", f.file, f.more))
	}
	return errors.Join(errs...)
}
