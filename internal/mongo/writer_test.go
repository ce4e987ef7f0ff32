// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"fmt"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Each id but those that are to stay is matched by one filter, wherever it comes among them.
func TestFiltersMatchEveryOtherID(t *testing.T) {
	all := []string{"", "a", "b", "b/", "c", "d", "e", "f", "g", "zoe"}
	for _, kept := range [][]string{nil, {"c"}, {"zoe", "a"}, {"d", "b", "f"}, {"g", "f", "e", "d"}, {"b", "c", "d", "e", "f"}, all} {
		for most := 1; most <= 4; most++ {
			t.Run(fmt.Sprint(kept, " by ", most), func(t *testing.T) {
				filters := othersThan(kept, most)
				for _, id := range all {
					n := 0
					for _, f := range filters {
						if matches(t, f, id, most) {
							n++
						}
					}
					want := 1
					if slices.Contains(kept, id) {
						want = 0
					}
					if n != want {
						t.Errorf("%q is matched by %d of %v, want %d", id, n, filters, want)
					}
				}
			})
		}
	}
}

// matches applies a filter as the server does.
func matches(t *testing.T, filter bson.D, id string, most int) bool {
	t.Helper()
	for _, e := range filter {
		is := false
		switch of := e.Value.(type) {
		case bson.A:
			is = e.Key == "$nin" && !slices.Contains(of, any(id))
			if len(of) > most {
				t.Errorf("%v names more than %d", filter, most)
			}
		case string:
			is = e.Key == "$gt" && id > of || e.Key == "$lte" && id <= of
		}
		if !is {
			return false
		}
	}
	return true
}
