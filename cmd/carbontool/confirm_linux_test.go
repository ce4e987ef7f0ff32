// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/progress/terminaltest"
)

func TestForgetUserAsks(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		code        int
		users       string // how they begin
		stderr      string // behind the question
	}{
		{"yes", "yes\n", exitDone, "bob forgotten-", ""},
		{"Yes, with a blank", " Yes \n", exitDone, "bob forgotten-", ""},
		{"no", "no\n", exitFailed, "alice bob", "carbontool forget-user: the answer was not yes, nothing was changed\n"},
		{"only the key", "\n", exitFailed, "alice bob", "carbontool forget-user: the answer was not yes, nothing was changed\n"},
		{"nothing more to come", "\x04", exitFailed, "alice bob", "carbontool forget-user: the answer was not yes, nothing was changed\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := exporterStore(t)
			terminal, keyboard := terminaltest.Open(t)
			if _, err := keyboard.WriteString(c.typed); err != nil {
				t.Fatal(err)
			}
			var stdout, stderr bytes.Buffer
			code := run([]string{"forget-user", "alice", "--storage.path", path}, streams{in: terminal, out: &stdout, err: &stderr})
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if users := usersOf(t, path); !strings.HasPrefix(users, c.users) {
				t.Errorf("the users are %s, want %s", users, c.users)
			}
			want := path + ` has of "alice": usage in 1 interval, from 2026-01-03 to 2026-01-03.` + "\n" + `Forget "alice" in ` + path + "? This cannot be undone. Type yes: " + c.stderr
			if stderr.String() != want {
				t.Errorf("stderr %q, want %q", stderr.String(), want)
			}
			if strings.Contains(stdout.String(), "alice") || (stdout.Len() > 0) != (code == exitDone) {
				t.Errorf("stdout %q", stdout.String())
			}
		})
	}
}

func TestDropNeverAskedAsks(t *testing.T) {
	for typed, want := range map[string]string{"yes\n": "Dropped 5 intervals.\n", "no\n": ""} {
		s := leftByAClock(t)
		terminal, keyboard := terminaltest.Open(t)
		if _, err := keyboard.WriteString(typed); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		code := run([]string{"intervals", "--drop-never-asked", "--storage.path", s.store, "--config.file", s.file}, streams{in: terminal, out: &stdout, err: &stderr})
		if (code == exitDone) != (want != "") || stdout.String() != want {
			t.Errorf("%q: exit code %d: %s", typed, code, stdout.String())
		}
		question := "Drop 5 intervals of " + s.store + " that were never asked for, before the first usage or in a gap of more than 90 days? Type yes: "
		if !strings.HasPrefix(stderr.String(), question) {
			t.Errorf("%q: %s", typed, stderr.String())
		}
	}
}

func TestCtrlCAnswersAQuestion(t *testing.T) {
	terminal, keyboard := terminaltest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	err := confirm(ctx, streams{in: terminal, err: &stderr}, "Really? ")
	if code := end(ctx, "forget-user", &stderr, err); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	if got, want := stderr.String(), "Really? \ncarbontool forget-user: interrupted: nothing was changed\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
	if _, err := keyboard.WriteString("\n"); err != nil { // ends the reader that was left behind
		t.Error(err)
	}
}
