// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
)

// called is how a call of the program ends and all that it writes.
type called struct {
	code           int
	stdout, stderr string
}

// by holds a call to it, with an empty standard input that is no terminal.
func (want called) by(t *testing.T, args ...string) {
	t.Helper()
	got := call(args...)
	if got.code != want.code {
		t.Errorf("exit code %d, want %d", got.code, want.code)
	}
	if got.stdout != want.stdout {
		t.Errorf("stdout\n%s\nwant\n%s", got.stdout, want.stdout)
	}
	if got.stderr != want.stderr {
		t.Errorf("stderr\n%s\nwant\n%s", got.stderr, want.stderr)
	}
}

func call(args ...string) called {
	var stdout, stderr bytes.Buffer
	code := run(args, streams{in: strings.NewReader(""), out: &stdout, err: &stderr, clock: hurried{}})
	return called{code, stdout.String(), stderr.String()}
}

// hurried is a clock by which no command waits for long.
type hurried struct{ clock.Real }

func (hurried) Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	clock.Real{}.Sleep(ctx, min(d, time.Millisecond), wake)
}
