// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package power_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// rows are what a query finds in a store, each as text with all digits.
func (p place) rows(t *testing.T, query string) (all []string) {
	t.Helper()
	each(t, p.store, query, func(cells []any) {
		text := make([]string, len(cells))
		for i, c := range cells {
			text[i] = fmt.Sprint(c)
		}
		all = append(all, strings.Join(text, " | "))
	})
	return all
}

// numbers are those of a query for a name and a number.
func (p place) numbers(t *testing.T, query string) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	each(t, p.store, query, func(cells []any) {
		v, ok := cells[1].(float64)
		if !ok {
			t.Fatalf("%s: %v is no number", query, cells)
		}
		all[fmt.Sprint(cells[0])] = v
	})
	return all
}

func each(t *testing.T, path, query string, take func(cells []any)) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		cells, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		take(cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}
