package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/openmetrics"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exportOpenMetrics writes what /metrics would have shown.
type exportOpenMetrics struct {
	export
	metrics []string
	every   time.Duration
}

func (e *exportOpenMetrics) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "openmetrics", "Write history for promtool tsdb create-blocks-from openmetrics.", `
What /metrics would have shown at the end of each interval, had all been known
that is known now: the same names and labels, so that dashboards reach back. Users
appear as attribution.user_label says. Usage is that since the first stored
interval, also before --from, as on /metrics; its first sample is at --from. What
is not known, such as the emissions of a key that has no price yet, has no sample.
The settled counters are left out: when an interval settled is not known, and a
counter that begins below its own history would count twice.

Prometheus looks back for five minutes, and an interval has one sample: ask for
last_over_time(...[35m]), or give --every=5m for as many as a scrape every five
minutes would have left.

All of it is as of one moment. On the way it needs some 60 bytes for each key and
interval in the directory of temporary files (TMPDIR).

Example:

    carbontool export openmetrics --month=2026-10 --output=october.om
    promtool tsdb create-blocks-from openmetrics --max-block-duration=744h \
      --label=job=carbon --label=instance=carbon:9977 october.om data/
`)
	c.Flag("metric", "Only this metric; may be repeated.").PlaceHolder("NAME").StringsVar(&e.metrics)
	c.Flag("every", "Repeat each sample until the next interval's, such as every 5m.").PlaceHolder("DURATION").DurationVar(&e.every)
	return c
}

// leastEvery keeps a typing error from writing a disk full.
const leastEvery = time.Second

func (e *exportOpenMetrics) run(ctx context.Context, s streams) error {
	families, err := e.families()
	if err != nil {
		return err
	}
	if e.every != 0 && e.every < leastEvery {
		return wrongUsef("--every: must be at least %v, is %v", leastEvery, e.every)
	}
	x, err := e.open(ctx, time.Now())
	if err != nil {
		return err
	}
	defer x.Close()
	h, err := e.newHistory(ctx, x)
	if err != nil {
		return err
	}
	defer h.close()
	told := &ticker{Line: watched(s.err, "intervals", x.intervals())}
	defer told.End()
	err = x.Replay(ctx, x.period, h.begin, func(rec usage.Record) error {
		told.at(rec.Interval)
		return h.add(rec)
	})
	if err != nil {
		return err
	}
	if len(h.ends) == 0 {
		e.sayNothing(s)
	}
	told.Log("writing")
	return e.write(s, func(out io.Writer) error {
		w := openmetrics.NewWriter(out)
		for _, f := range families {
			if err := w.Family(f.Family); err != nil {
				return err
			}
			if err := f.write(ctx, h, w); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// families are those that were asked for, in the order of all.
func (e *exportOpenMetrics) families() ([]family, error) {
	all := families()
	if len(e.metrics) == 0 {
		return all, nil
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.Name
	}
	for _, name := range e.metrics {
		if !slices.Contains(names, name) {
			return nil, wrongUsef("--metric: there is no history of %q, but of %s", name, strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(all, func(f family) bool { return !slices.Contains(e.metrics, f.Name) }), nil
}

// newHistory makes one that knows how users appear now.
func (e *exportOpenMetrics) newHistory(ctx context.Context, x *exported) (*history, error) {
	labels, err := parts.Labels(x.config.Attribution)
	if err != nil {
		return nil, fmt.Errorf("attribution: %w", err)
	}
	summary, err := x.Summary(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := x.Shown(ctx)
	if err != nil {
		return nil, err
	}
	named := labels.Summary(summary, shown, false).Named
	return newHistory(x, time.Duration(x.config.Metrics.Keep), e.every, func(user string) string { return labels.Shown(user, named) })
}
