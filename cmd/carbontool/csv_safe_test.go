// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestCSVSafe: no command writes a cell that a spreadsheet would run, unless it is
// asked to; numbers are the same either way.
func TestCSVSafe(t *testing.T) {
	const project, user = "=cmd|' /C calc'!A0", "\u00a0＠SUM(1)"
	fact := used(slotAt(0), project, user, 2)
	fact.Machine, fact.Group = "+1;-2", "-3"
	args, _ := exportedFrom(t, "", interval(slotAt(0), 200, fact))
	for _, command := range [][]string{
		{"export", "csv", "--from=2026-01-03"},
		{"export", "csv", "--from=2026-01-03", "--grain=scope"},
		{"report", "--from=2026-01-03", "--to=2026-01-04", "--format=csv"},
		{"report", "--from=2026-01-03", "--to=2026-01-04", "--format=csv", "--scope=machine"},
		{"report", "--from=2026-01-03", "--to=2026-01-04", "--format=csv", "--scope=user"},
		{"report", "--from=2026-01-03", "--to=2026-01-04", "--format=csv", "--scope=group"},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			safe := csvOf(t, append(command, args...)...)
			exact := csvOf(t, append(append(command, "--no-csv-safe"), args...)...)
			changed := 0
			for n := range exact {
				for i, want := range exact[n] {
					switch want {
					case project:
						want = "'" + want
					case user:
						want = "\u00a0'＠SUM(1)"
					case "+1;-2":
						want = "'+1;'-2"
					case "-3":
						want = "'-3"
					default:
						changed--
					}
					changed++
					if safe[n][i] != want {
						t.Errorf("%s is %q, want %q", exact[0][i], safe[n][i], want)
					}
				}
			}
			if changed == 0 {
				t.Error("no name was in it")
			}
		})
	}
}

func csvOf(t *testing.T, args ...string) [][]string {
	t.Helper()
	got := call(args...)
	if got.code != exitDone {
		t.Fatalf("%+v", got)
	}
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	return rows
}

// TestTablesGiveNoOrders: names and errors from outside reach a terminal escaped, by
// whatever command.
func TestTablesGiveNoOrders(t *testing.T) {
	const evil = "a\x1b]0;x\ab\u009b2J\u202ec\nd"
	fact := used(slotAt(0), evil, evil, 2)
	fact.Machine, fact.Group = evil, evil
	args, s := exportedFrom(t, "", interval(slotAt(0), 200, fact))
	if err := s.Failed(t.Context(), []usage.Interval{slotAt(1)}, errorText(evil), slotAt(2).Start); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"report", "--from=2026-01-03"},
		{"report", "--from=2026-01-03", "--scope=user", "--names"},
		{"report", "--from=2026-01-03", "--scope=machine"},
		{"report", "--from=2026-01-03", "--scope=group"},
		{"explain", "--ts=2026-01-03T12:00", "--project=" + evil},
		{"explain", "--ts=2026-01-03T12:30", "--project=" + evil},
		{"explain", "--ts=2026-01-03T12:00", "--project=none"},
		{"intervals"},
		{"recost", "--from=2026-01-03", "--to=2026-01-03T13:00", "--restate", "--dry-run"},
		{"calibrate", "--machine=" + evil, "--power-metric=x", "--from=2026-01-03"},
		{"backfill", "--from=2026-01-03", "--project=" + evil},
	} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			got := call(append(command, args...)...)
			for _, text := range []string{got.stdout, got.stderr} {
				if i := strings.IndexAny(text, "\x1b\a\u009b\u202e"); i >= 0 {
					t.Errorf("gives orders: %q", text[max(0, i-40):])
				}
			}
		})
	}
}

type errorText string

func (e errorText) Error() string { return string(e) }
