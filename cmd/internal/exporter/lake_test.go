// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import "testing"

func TestPendingDays(t *testing.T) {
	for n, want := range map[float64]string{1: "1 day refused", 2: "2 days refused"} {
		if got := pendingDays(n, "refused"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
