// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestHowACommandEnds(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		err    error
		code   int
		stderr string
	}{
		{"well", t.Context(), nil, exitDone, ""},
		{"failed", t.Context(), errors.New("open store: refused"), exitFailed, "carbontool report: open store: refused\n"},
		{"failed twice, in one line", t.Context(), errors.Join(errors.New("a"), errors.New("b")), exitFailed, "carbontool report: a; b\n"},
		{"failed and said so", t.Context(), fmt.Errorf("check: %w", errReported), exitFailed, ""},
		{"used in a wrong way", t.Context(), wrongUsef("--from: %q is no date", "x"), exitUsage, "carbontool report: --from: \"x\" is no date; see carbontool report --help\n"},
		{"used in a wrong way, deep inside", t.Context(), fmt.Errorf("range: %w", wrongUsef("ends before it begins")), exitUsage, "carbontool report: range: ends before it begins; see carbontool report --help\n"},
		{"interrupted", ended, context.Canceled, exitFailed, "carbontool report: interrupted: context canceled\n"},
		{"interrupted when all was done", ended, nil, exitDone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := end(c.ctx, "report", &stderr, c.err); code != c.code || stderr.String() != c.stderr {
				t.Errorf("exit code %d, want %d; stderr %q, want %q", code, c.code, stderr.String(), c.stderr)
			}
		})
	}
}

// chatty writes and ends as it is told.
type chatty struct {
	text string
	err  error
}

func (chatty) register(*kingpin.Application) *kingpin.CmdClause { return nil }

func (c chatty) run(_ context.Context, s streams) error {
	fmt.Fprint(s.out, c.text)
	return c.err
}

// fullDisk takes nothing.
type fullDisk struct{}

var errFull = errors.New("no space left on device")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestOutput(t *testing.T) {
	failure := errors.New("failed")
	for _, c := range []struct {
		name    string
		command chatty
		full    bool
		want    error
	}{
		{"comes out", chatty{text: "text"}, false, nil},
		{"comes out before an error too", chatty{text: "text", err: failure}, false, failure},
		{"cannot be written", chatty{text: "text"}, true, errFull},
		{"is more than is held back, and cannot be written", chatty{text: strings.Repeat("text", 1<<20)}, true, errFull},
		{"cannot be written, but that is not what went wrong first", chatty{text: "text", err: failure}, true, failure},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			s := streams{out: &out}
			if c.full {
				s.out = fullDisk{}
			}
			if err := do(t.Context(), c.command.run, s); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if !c.full && out.String() != c.command.text {
				t.Errorf("wrote %q", out.String())
			}
		})
	}
}
