// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/openmetrics"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// exportOpenMetrics writes the history of /metrics.
type exportOpenMetrics struct {
	export
	metrics []string
	every   time.Duration
}

func (e *exportOpenMetrics) register(app *kingpin.Application) *kingpin.CmdClause {
	c := e.export.register(app, "openmetrics", "Write history for promtool tsdb create-blocks-from openmetrics.", `
Writes what /metrics would have shown at the end of each interval, given today's
knowledge. Names and labels are the same, so dashboards work for the past too. Users
are shown as attribution.user_label says. As on /metrics, usage counts from the first
stored interval, even before --from; the first sample is at --from. Unknown values,
such as the emissions of an unpriced key, have no sample. The settled counters are
not exported: the store does not know when each interval settled, and a counter that
starts below its own history would count twice.

Each interval has one sample, but Prometheus looks back only five minutes: query
last_over_time(...[35m]), or use --every=5m to repeat samples as a scrape every five
minutes would.

All samples show the store at the same moment. The command needs about 80 bytes per
key and interval in the directory for temporary files (TMPDIR).

Example:

    carbontool export openmetrics --month=2026-10 --output=october.om
    promtool tsdb create-blocks-from openmetrics --max-block-duration=744h \
      --label=job=carbon --label=instance=carbon:9977 october.om data/
`)
	c.Flag("metric", "Export only this metric. Can be repeated.").PlaceHolder("NAME").StringsVar(&e.metrics)
	c.Flag("every", "Repeat each sample this often until the next interval, for example 5m.").PlaceHolder("DURATION").DurationVar(&e.every)
	return c
}

// leastEvery keeps a typing error from filling the disk.
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
	told.Log("Writing samples")
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

// families lists the metrics that were asked for, in the usual order.
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
			return nil, wrongUsef("--metric: no history of %q; there is history of %s", name, strings.Join(names, ", "))
		}
	}
	return slices.DeleteFunc(all, func(f family) bool { return !slices.Contains(e.metrics, f.Name) }), nil
}

// newHistory makes a history that shows users as they are shown today.
func (e *exportOpenMetrics) newHistory(ctx context.Context, x *exported) (*history, error) {
	user, err := x.users(ctx)
	if err != nil {
		return nil, err
	}
	return newHistory(x, time.Duration(x.config.Metrics.Keep), e.every, user)
}
