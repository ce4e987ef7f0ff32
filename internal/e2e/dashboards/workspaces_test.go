// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import "testing"

// A workspace that began within the range on a host that had another before used what its gauge
// says, and not what that has fallen by.
func TestIdleWorkspacesUsedWhatTheyUsed(t *testing.T) {
	s := theSite(t)
	d, p := find(t, "Carbon / Project, group, user", "Idle workspaces")
	expr := d.written(t, p.Targets[0].Expr, map[string]string{"__range": "3d", "__range_s": "259200"})[0]
	idle, err := s.instant(expr, s.now)
	if err != nil {
		t.Fatalf("%v: %s", err, expr)
	}
	sum := 0.0
	for _, kWh := range idle.numbers() {
		if kWh < 0 {
			t.Errorf("%v kWh: %s", kWh, expr)
		}
		sum += kWh
	}
	fell := `delta(sum by (host) (carbon_workspace_energy_kwh{mode="idle"})[3d:30m])`
	if all := s.total(t, "sum("+fell+")", s.now); sum <= all || s.total(t, "count("+fell+" < 0)", s.now) == 0 {
		t.Errorf("no workspace began on a host that had another: %v kWh, by delta %v", sum, all)
	}
}
