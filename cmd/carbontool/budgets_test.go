// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
)

func (g *gated) budgets(args ...string) called {
	return atOnce(append([]string{"budgets", "--config.file", g.config, "--storage.path", g.store}, args...)...)
}

func TestBudgets(t *testing.T) {
	g := newGated(t, 8, 0)
	g.configure(t, attributed)
	table := g.budgets()
	want := called{stdout: `BUDGET       SCOPE    TARGET  USED   LIMIT  UNIT       SHARE  BURN 2h      1d      7d  PROJECTED  PERIOD ENDS
clf          project  CLF     3560  100000  gCO2eq     3.6 %     0.10    0.10    0.10     10.1 %  2026-12-09 00:00
clf-small    project  CLF     3560     300  gCO2eq  1186.7 %    33.60   33.60   33.60   3360.0 %  2026-12-09 00:00
lasers       group    Lasers  35.6    1000  kWh        3.6 %     0.10    0.10    0.10     10.1 %  2026-12-09 00:00
whole        site     -       71.2    1.00  kWh     7120.0 %   201.60  201.60  201.60  20160.0 %  2026-12-09 00:00
old          site     -          -    1.00  kWh            -        -       -       -          -  not in force
new-project  project  New        -    1.00  kWh            -        -       -       -          -  2026-12-09 00:00
type         machine  Laser   71.2    1.00  kWh     7120.0 %   201.60  201.60  201.60  20160.0 %  2026-12-09 00:00
person       user     alice      -    1.00  kWh            -        -       -       -          -  2026-12-09 00:00
Usage up to 2026-11-25 10:00 UTC. A burn of 1 is on plan: it uses up the limit exactly at the end of the period.
`}
	if table != want {
		t.Errorf("got\n%s%s\nwant\n%s", table.stdout, table.stderr, want.stdout)
	}
	csv := g.budgets("--format=csv")
	for _, line := range []string{
		"name,scope,target,period,from,to,in_force,unit,limit,used,used_ratio,unseen_seconds,burn_ratio_2h,burn_ratio_1d,burn_ratio_7d,projected_ratio,newest_interval_end\n",
		"\nclf,project,CLF,,2026-11-18T00:00:00Z,2026-12-09T00:00:00Z,true,gco2eq,100000,3560,0.0356,0,0.1008,0.1008,0.1008,0.1008,2026-11-25T10:00:00Z\n",
		"\nold,site,,,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,false,kwh,1,,,0,,,,,2026-11-25T10:00:00Z\n",
	} {
		if !strings.Contains(csv.stdout, line) {
			t.Errorf("no line %q in\n%s", line, csv.stdout)
		}
	}
	var all answers.BudgetsAnswer
	if err := json.Unmarshal([]byte(g.budgets("--format=json").stdout), &all); err != nil || len(all.Budgets) != 8 {
		t.Fatalf("%v, %+v", err, all)
	}
	if lasers := all.Budgets[2]; !lasers.AllProjects || !reflect.DeepEqual(lasers.Projects, []string{"CLF", "Lasers", "Vulcan"}) || *lasers.Used != 35.6 {
		t.Errorf("%+v", lasers)
	}
}

// What is missing or without a price is said; a store that is younger than its budget, too.
func TestBudgetsSayWhatIsNotInThem(t *testing.T) {
	g := newGated(t, 1, 0)
	got := g.budgets()
	if want := "\nclf: 6d10h of the period so far is not in what is used.\n"; !strings.Contains(got.stdout, want) || got.code != exitDone {
		t.Errorf("%+v", got)
	}
	g.config += ".none"
	if got := g.budgets(); got.code != exitFailed || !strings.Contains(got.stderr, "no such file") {
		t.Errorf("%+v", got)
	}
	if err := os.WriteFile(g.config, []byte("timezone: UTC\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := g.budgets(); got != (called{stdout: "The configuration has no budgets.\n"}) {
		t.Errorf("%+v", got)
	}
}
