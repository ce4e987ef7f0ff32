// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func gapsTable(out io.Writer, gaps []usage.Gap) error {
	counts, all := map[usage.State]int{}, 0
	t := table.Table{table.Words("FROM"), table.Words("TO"), table.Words("STATE"), table.Numbers("INTERVALS")}
	hosts := slices.ContainsFunc(gaps, func(g usage.Gap) bool { return g.Hosts != nil })
	if hosts {
		t = append(t, table.Numbers("HOSTS"), table.Numbers("INTERPOLATED"), table.Numbers("REFUSED"))
	}
	t = append(t, table.Numbers("ATTEMPTS"), table.Words("REASON"))
	for _, g := range gaps {
		counts[g.State] += g.Intervals
		all += g.Intervals
		attempts, reason := "-", "-"
		if g.Attempts > 0 {
			attempts = strconv.Itoa(g.Attempts)
		}
		if g.Error != "" {
			reason = escape.Line(g.Error)
		}
		cells := []string{g.From.Format(time.RFC3339), g.To.Format(time.RFC3339), string(g.State), strconv.Itoa(g.Intervals)}
		switch {
		case hosts && g.Hosts != nil:
			cells = append(cells, strconv.Itoa(g.Hosts.All), strconv.Itoa(g.Hosts.Interpolated), strconv.Itoa(g.Hosts.Refused))
		case hosts:
			cells = append(cells, "-", "-", "-")
		}
		t.Add(append(cells, attempts, reason)...)
	}
	if all == 0 {
		_, err := fmt.Fprintln(out, "No intervals found.")
		return err
	}
	if err := t.Write(out, ""); err != nil {
		return err
	}
	var words []string
	for _, state := range slices.Backward(usage.States()) {
		if n := counts[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
		}
	}
	_, err := fmt.Fprintf(out, "%s: %s.\n", counted(all, "interval"), strings.Join(words, ", "))
	return err
}

// mostDoubted is how many hosts are listed that are not exact.
const mostDoubted = 20

// doubtedTable lists the hosts that are interpolated or refused.
func (a *IntervalsAnswer) doubtedTable(out io.Writer) error {
	all, n := a.doubted, a.allDoubted
	if n == 0 {
		return nil
	}
	t := table.Table{
		table.Words("HOST"), table.Words("PROJECT"), table.Words("STATE"), table.Words("REASON"),
		table.Numbers("INTERVALS"), table.Words("NEWEST"), table.Words("SEEN"),
	}
	for _, d := range all {
		seen := d.Reason.Means()
		if d.Detail != "" {
			seen += "; " + d.Detail
		}
		t.Add(escape.Name(d.Host), escape.Name(d.Project), string(d.State), string(d.Reason),
			strconv.Itoa(d.Intervals), d.Newest.Format(time.RFC3339), escape.Line(seen))
	}
	fmt.Fprintln(out)
	if err := t.Write(out, ""); err != nil {
		return err
	}
	if n > len(all) {
		_, err := fmt.Fprintf(out, "And %d more; --from and --to narrow the list.\n", n-len(all))
		return err
	}
	return nil
}

// json writes one array. Unknown values are null, never 0 or "".
func (a *IntervalsAnswer) json(out io.Writer) error {
	type doubted struct {
		Host      string            `json:"host"`
		Project   string            `json:"project"`
		Machine   string            `json:"machine"`
		State     usage.HostState   `json:"state"`
		Reason    usage.DoubtReason `json:"reason"`
		Detail    string            `json:"detail"`
		Intervals int               `json:"intervals"`
		Newest    time.Time         `json:"newest"`
	}
	type gap struct {
		From         time.Time   `json:"from"`
		To           time.Time   `json:"to"`
		State        usage.State `json:"state"`
		Intervals    int         `json:"intervals"`
		Attempts     int         `json:"attempts"`
		Error        *string     `json:"error"`
		Hosts        *int        `json:"hosts"` // the most of any of the intervals, as the next two
		Interpolated *int        `json:"interpolated_hosts"`
		Refused      *int        `json:"refused_hosts"`
		Doubts       []doubted   `json:"doubts"` // those with the most intervals
	}
	all := []gap{}
	for i, g := range a.gaps {
		line := gap{From: g.From, To: g.To, State: g.State, Intervals: g.Intervals, Attempts: g.Attempts, Doubts: []doubted{}}
		if g.Error != "" {
			line.Error = &g.Error
		}
		if g.Hosts != nil {
			line.Hosts, line.Interpolated, line.Refused = &g.Hosts.All, &g.Hosts.Interpolated, &g.Hosts.Refused
		}
		for _, d := range a.doubts[i] {
			line.Doubts = append(line.Doubts, doubted{d.Host, d.Project, d.Machine, d.State, d.Reason, d.Detail, d.Intervals, d.Newest})
		}
		all = append(all, line)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}
