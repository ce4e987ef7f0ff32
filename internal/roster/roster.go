// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package roster reads a file in which an operator keeps who has which host, and in which group
// people are: CSV, JSON or YAML. It knows the file's columns and what can be wrong in it; it must
// not know how ownership is determined, nor what a host has used. Start with File.Census.
package roster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxBytes is the size of a file with a million rows.
const maxBytes = 64 << 20

// quiet is how long nobody must have written to a file that is read: half a file says that half
// of the hosts have no owner.
const quiet = 2 * time.Second

// File is a file that may change at any time.
type File struct {
	Path string
	Zone *time.Location // of dates without one
	// Emails allows owners that are e-mail addresses. Without it they are refused, because the
	// owner is shown.
	Emails bool

	mu   sync.Mutex
	text []byte // as it was last read, and good
	last reading
}

// reading is what a good text says.
type reading struct {
	census  directory.Census
	rejects []directory.RecordReject
}

// Census reads the file as it is now. Bad rows are refused one by one and counted. A file that
// cannot be read as a whole, has no rows, or none that can be used, is an error. The caller sets
// Census.AsOf.
func (f *File) Census(ctx context.Context) (directory.Census, []directory.RecordReject, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	written, err := f.isBeingWritten()
	if err == nil && written && f.text != nil {
		return f.last.census, f.last.rejects, nil // as it was a moment ago; the next reading sees the change
	}
	for err == nil && written {
		if err = pause(ctx); err == nil {
			written, err = f.isBeingWritten()
		}
	}
	if err != nil {
		return directory.Census{}, nil, err
	}
	text, err := readfile.All(f.Path, maxBytes)
	if err != nil {
		return directory.Census{}, nil, f.unreadable(err)
	}
	if f.text == nil || !bytes.Equal(text, f.text) {
		rows, err := parse(f.Path, text)
		if err != nil {
			return directory.Census{}, nil, f.broken(err)
		}
		r, err := f.read(rows)
		if err != nil {
			return directory.Census{}, nil, f.broken(err)
		}
		f.text, f.last = text, r
	}
	return f.last.census, f.last.rejects, nil
}

// isBeingWritten reports whether the file was written to just now.
func (f *File) isBeingWritten() (bool, error) {
	info, err := os.Stat(f.Path)
	if err != nil {
		return false, f.unreadable(err)
	}
	age := time.Since(info.ModTime())
	return age >= 0 && age < quiet, nil
}

func pause(ctx context.Context) error {
	timer := time.NewTimer(quiet / 10)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (f *File) unreadable(err error) error {
	return &usage.Failure{Reason: usage.ReasonConnection, Detail: "the file cannot be read", Err: err, Cause: fmt.Sprintf("the file cannot be read: %v", err)}
}

// broken names the file once, and says what goes on meanwhile.
func (f *File) broken(err error) error {
	said := fmt.Sprintf("%s: %v; owners stay as last read", filepath.Base(f.Path), err)
	return &usage.Failure{Reason: usage.ReasonMalformed, Detail: said, Cause: said}
}

// Check reports what is wrong with the file, each fault in a line with its number.
func (f *File) Check() error {
	text, err := readfile.All(f.Path, maxBytes)
	if err != nil {
		return err
	}
	rows, err := parse(f.Path, text)
	if err == nil {
		var r reading
		if r, err = f.read(rows); err == nil {
			err = r.faults()
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", f.Path, err)
}

// faults is an error that says what rows are refused, nil if none is.
func (r reading) faults() error {
	var all []string
	for _, reject := range r.rejects {
		more := ""
		if reject.Count > 1 {
			more = fmt.Sprintf(" and %d more", reject.Count-1)
		}
		all = append(all, fmt.Sprintf("%s%s: %s", reject.Where, more, explained[reject.Reason]))
	}
	if all == nil {
		return nil
	}
	return fmt.Errorf("rows are refused: %s", strings.Join(all, "; "))
}
