// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import "testing"

func TestCutPage(t *testing.T) {
	for _, test := range []struct{ path, base, page string }{
		{"", "", ""},
		{"/", "", ""},
		{"/prometheus", "/prometheus", ""},
		{"/graph", "", "/graph"},
		{"/prometheus/graph/", "/prometheus", "/graph"},
		{"/prometheus/classic/graph", "/prometheus", "/classic/graph"},
		{"/api/v1/query_range", "", "/api/v1/query_range"},
		{"/select/0/prometheus/api/v1", "/select/0/prometheus", "/api/v1"},
		{"/prometheus/api/v1/status/config", "/prometheus", "/api/v1/status/config"},
		{"/graphite", "/graphite", ""},
	} {
		if base, page := CutPage(test.path); base != test.base || page != test.page {
			t.Errorf("%s: got %q and %q, want %q and %q", test.path, base, page, test.base, test.page)
		}
	}
}
