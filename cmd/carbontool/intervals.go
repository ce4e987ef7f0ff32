package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// listIntervals lists what is in the record, what is not, and why.
type listIntervals struct {
	site
	span   timeRange
	states []string
	format string
}

func (l *listIntervals) register(app *kingpin.Application) *kingpin.CmdClause {
	c := app.Command("intervals", "List what the record has and lacks: ranges by state, and why.").HelpLong(`
Adjacent intervals in one state are a line. missing was not had yet, and why is
the last failed attempt; empty was answered with nothing, which is not 0; unpriced
has energy and no carbon intensity; provisional may still change; settled is final.
carbon_exporter asks for what is missing by itself, oldest first. What lies before
its first interval, or between two ranges, is in no line: "carbontool backfill"
collects it.

Example:

    carbontool intervals --state=missing --state=empty
        --storage.path=/var/lib/carbon_exporter/carbon.db
`)
	l.site.register(c)
	l.span.registerAll(c)
	var all []string
	for _, s := range usage.States() {
		all = append(all, string(s))
	}
	c.Flag("state", "Only this state, one of "+strings.Join(all, ", ")+"; may be repeated.").PlaceHolder("STATE").EnumsVar(&l.states, all...)
	c.Flag("format", "table or json.").Default("table").EnumVar(&l.format, "table", "json")
	return c
}

func (l *listIntervals) run(ctx context.Context, s streams) error {
	cfg, err := l.config()
	if err != nil {
		return err
	}
	now := time.Now()
	if err := l.check(&l.span, cfg, now); err != nil {
		return err
	}
	st, err := l.openToRead(ctx, cfg)
	if err != nil {
		return err
	}
	defer st.Close()
	cfg.Timezone = st.Timezone().String()
	period, err := l.span.period(cfg, now)
	if err != nil {
		return err
	}
	if !l.span.fromGiven && !l.span.toGiven {
		period = usage.Period{} // all, whatever the clocks say
	}
	gaps, err := st.Gaps(ctx, period)
	if err != nil {
		return fmt.Errorf("list the intervals of %s: %w", l.storagePath, err)
	}
	if len(l.states) > 0 {
		gaps = slices.DeleteFunc(gaps, func(g usage.Gap) bool { return !slices.Contains(l.states, string(g.State)) })
	}
	if l.format == "json" {
		return gapsJSON(s.out, gaps)
	}
	gapsTable(s.out, gaps)
	return nil
}

func gapsTable(out io.Writer, gaps []usage.Gap) {
	counts, all := map[usage.State]int{}, 0
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FROM\tTO\tSTATE\tINTERVALS\tATTEMPTS\tWHY")
	for _, g := range gaps {
		counts[g.State] += g.Intervals
		all += g.Intervals
		attempts := "-"
		if g.Attempts > 0 {
			attempts = fmt.Sprint(g.Attempts)
		}
		why := "-"
		if g.Error != "" {
			why = strings.Join(strings.Fields(g.Error), " ")
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\n", g.From.Format(time.RFC3339), g.To.Format(time.RFC3339), g.State, g.Intervals, attempts, why)
	}
	if all == 0 {
		fmt.Fprintln(out, "There are none.")
		return
	}
	t.Flush() //nolint:errcheck // out is a buffer, whose end is looked at
	var words []string
	for _, state := range slices.Backward(usage.States()) {
		if n := counts[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
		}
	}
	fmt.Fprintf(out, "%s: %s.\n", intervals(all), strings.Join(words, ", "))
}

// gapsJSON writes one array. What there is not is null, never 0 or "".
func gapsJSON(out io.Writer, gaps []usage.Gap) error {
	type gap struct {
		From      time.Time   `json:"from"`
		To        time.Time   `json:"to"`
		State     usage.State `json:"state"`
		Intervals int         `json:"intervals"`
		Attempts  int         `json:"attempts"`
		Error     *string     `json:"error"`
	}
	all := []gap{}
	for _, g := range gaps {
		line := gap{From: g.From, To: g.To, State: g.State, Intervals: g.Intervals, Attempts: g.Attempts}
		if g.Error != "" {
			line.Error = &g.Error
		}
		all = append(all, line)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(all)
}
