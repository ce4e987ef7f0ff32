// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/table"
)

func (a *BudgetsAnswer) json(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(a)
}

// csv has the fields of JSON, but for lists. What is not known is an empty cell.
func (a *BudgetsAnswer) csv(out io.Writer, cell func(string) string) error {
	w := csv.NewWriter(out)
	lines := [][]string{{
		"name", "scope", "target", "period", "from", "to", "in_force", "unit", "limit", "used", "used_ratio",
		"unseen_seconds", "burn_ratio_2h", "burn_ratio_1d", "burn_ratio_7d", "projected_ratio", "newest_interval_end",
	}}
	for _, b := range a.Budgets {
		newest := ""
		if a.Newest != nil {
			newest = a.Newest.UTC().Format(time.RFC3339)
		}
		lines = append(lines, []string{
			cell(b.Name), b.Scope, cell(b.Target), b.Period, b.From.Format(time.RFC3339), b.To.Format(time.RFC3339),
			strconv.FormatBool(b.InForce), string(b.Unit), exact(&b.Limit), exact(b.Used), exact(b.UsedRatio),
			exact(&b.Unseen), exact(burn(b, "2h")), exact(burn(b, "1d")), exact(burn(b, "7d")), exact(b.Projected), newest,
		})
	}
	return w.WriteAll(lines)
}

func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func (a *BudgetsAnswer) table(out io.Writer) error {
	if len(a.Budgets) == 0 {
		_, err := fmt.Fprintln(out, "The configuration has no budgets.")
		return err
	}
	t := table.Table{
		table.Words("BUDGET"), table.Words("SCOPE"), table.Words("TARGET"), table.Numbers("USED"), table.Numbers("LIMIT"), table.Words("UNIT"),
		table.Numbers("SHARE"), table.Numbers("BURN 2h"), table.Numbers("1d"), table.Numbers("7d"), table.Numbers("PROJECTED"), table.Words("PERIOD ENDS"),
	}
	for _, b := range a.Budgets {
		ends := b.To.In(a.zone).Format("2006-01-02 15:04")
		if !b.InForce {
			ends = "not in force"
		}
		target := b.Target
		if target == "" {
			target = "-"
		}
		t.Add(b.Name, b.Scope, target, amount(b.Used), amount(&b.Limit), b.UnitName(),
			share(b.UsedRatio), ratio(burn(b, "2h")), ratio(burn(b, "1d")), ratio(burn(b, "7d")), share(b.Projected), ends)
	}
	if err := t.Write(out, ""); err != nil {
		return err
	}
	for _, b := range a.Budgets {
		if b.Unseen > 0 && b.Used != nil {
			fmt.Fprintf(out, "%s: %s of the period so far is not in what is used.\n", b.Name, model.Duration(time.Duration(b.Unseen)*time.Second))
		}
	}
	newest := "Nothing is stored yet"
	if a.Newest != nil {
		newest = "Usage up to " + a.Newest.In(a.zone).Format("2006-01-02 15:04 MST")
	}
	_, err := fmt.Fprintf(out, "%s. A burn of 1 is on plan: it uses up the limit exactly at the end of the period.\n", newest)
	return err
}

// burn is the ratio of a window; nil: it is not known.
func burn(b BudgetStatus, window string) *float64 {
	if ratio, known := b.Burn[window]; known {
		return &ratio
	}
	return nil
}

const notKnown = "-"

func amount(v *float64) string {
	if v == nil {
		return notKnown
	}
	return strconv.FormatFloat(*v, 'f', max(0, 3-len(strconv.Itoa(int(*v)))), 64)
}

func share(v *float64) string {
	if v == nil {
		return notKnown
	}
	return strconv.FormatFloat(100**v, 'f', 1, 64) + " %"
}

func ratio(v *float64) string {
	if v == nil {
		return notKnown
	}
	return strconv.FormatFloat(*v, 'f', 2, 64)
}
