// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package store

import (
	"slices"
	"strings"
	"testing"
)

func TestSchemaHasAllOfTheDocument(t *testing.T) {
	s := newStore(t)
	for name, want := range documentColumns {
		var got []string
		for _, row := range readRows(t, s.reader, "SELECT name FROM pragma_table_info(?) ORDER BY cid", name) {
			got = append(got, row[0].(string))
		}
		// Measured energy came later than the document: its columns are the last.
		own := slices.DeleteFunc(slices.Clone(got), func(column string) bool { return strings.Contains(column, "measured") })
		if strings.Join(own, " ") != want || !slices.Equal(got[:len(own)], own) {
			t.Errorf("%s has columns %q, the document %q", name, strings.Join(got, " "), want)
		}
		kind := "table"
		if strings.HasPrefix(name, "v_") {
			kind = "view"
		}
		if rows := readRows(t, s.reader, "SELECT type FROM sqlite_schema WHERE name = ?", name); len(rows) != 1 || rows[0][0] != kind {
			t.Errorf("%s is %v, want one %s", name, rows, kind)
		}
	}
}

func TestTheDocumentsUpsertReplacesARow(t *testing.T) {
	s := newStore(t)
	execute(t, s.writer, "INSERT INTO dim_user(user_id) VALUES ('a')")
	for _, busy := range []float64{1, 2} {
		execute(t, s.writer, documentUpsert, "2025-09-11T10:30:00Z", nil, nil, "a", busy, 0.0, 0.0, 0.0, 0.0, 0.0, nil)
	}
	rows := readRows(t, s.reader, "SELECT busy_cpu_seconds_total FROM fact_usage")
	if len(rows) != 1 || rows[0][0] != 2.0 {
		t.Errorf("got %v, want one row of 2", rows)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	s := newStore(t)
	if _, err := s.reader.Exec("DELETE FROM dim_user"); err == nil {
		t.Error("a reader has written")
	}
}
