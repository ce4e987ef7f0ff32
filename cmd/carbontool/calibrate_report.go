// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/when"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// report prints a fit, its errors, and the data behind it.
func (k *calibrateMachine) report(out io.Writer, f calibrate.Fit, p calibrate.Paired, grain time.Duration) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(out, "  %-14s%s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(out, "%s: %.3g W per busy core, %.3g W per idle core\n", escape.Name(k.machine), float64(f.Watts.Busy), float64(f.Watts.Idle))
	line("busy", "%s", withError(f.Watts.Busy, f.StdError.Busy))
	line("idle", "%s", withError(f.Watts.Idle, f.StdError.Idle))
	line("energy", "± %s (standard error of the energy these watts give over a long time)", percent(f.Error))
	line("R²", "%.4f", f.RSquared)
	line("RMSE", "%.2f W per interval; mean measured power %.2f W", float64(f.RMSE), float64(f.MeanPower))
	line("observations", "%d, %s", f.Observations, sides(f, p, grain))
	line("busy time", "mean %.3g %%, standard deviation %.2g %%, from %.3g to %.3g %% (condition number %.2g)",
		100*f.Load.Mean, 100*f.Load.Deviation, 100*f.Load.Least, 100*f.Load.Most, f.Load.Condition)
	line("left out", "%s", leftOut("", p.Left))
	if p.Way != calibrate.AllAsOne {
		line("hosts", "%d of this type without measurements; %d measured but of other types", p.Unmeasured, p.Others)
	}
}

// sides says how power and CPU time were matched.
func sides(f calibrate.Fit, p calibrate.Paired, grain time.Duration) string {
	intervals := fmt.Sprintf("%d intervals of %s", f.Intervals, model.Duration(grain))
	switch p.Way {
	case calibrate.AllAsOne:
		return "all hosts as one, " + intervals
	case calibrate.ByAddress:
		return fmt.Sprintf("by host (whatever the port), %d hosts, %s", f.Hosts, intervals)
	}
	return fmt.Sprintf("by host, %d hosts, %s", f.Hosts, intervals)
}

// doubts warns on stderr about a fit that is suspicious but possible.
func doubts(stderr io.Writer, f calibrate.Fit) {
	for _, doubt := range f.Doubts() {
		warn(stderr, "%s", doubt)
	}
}

// withError prints as many digits as the standard error justifies.
func withError(watts, sigma usage.Watts) string {
	if math.IsNaN(float64(sigma)) {
		return "0 W per core; the best fit is negative, so 0 is used"
	}
	digits := digitsOf(sigma)
	return fmt.Sprintf("%.*f ± %.*f W per core (standard error)", digits, float64(watts), digits, float64(sigma))
}

// plusMinus is withError for a cell of a table.
func plusMinus(watts, sigma usage.Watts) string {
	if math.IsNaN(float64(sigma)) {
		return "0"
	}
	digits := digitsOf(sigma)
	return fmt.Sprintf("%.*f ± %.*f", digits, float64(watts), digits, float64(sigma))
}

func digitsOf(sigma usage.Watts) int {
	const most = 4
	if sigma > 0 {
		return min(max(1-int(math.Floor(math.Log10(float64(sigma)))), 0), most)
	}
	return most
}

// percent is a small part of a whole.
func percent(part float64) string {
	if part < 1e-4 {
		return "less than 0.01 %"
	}
	return fmt.Sprintf("%.2g %%", 100*part)
}

// reasons are why a measured interval is left out, in words.
var reasons = map[string]string{
	"nan": "NaN", "infinite": "infinite", "negative": "negative", "not_a_number": "not a number", "zero": "0 W", "over_capacity": "above 1 GW",
	"histogram": "a histogram", "timestamp": "with another time", "no_cpu_time": "without CPU time",
	"partial": "incomplete", "constant": "constant whatever the load", "no_host": "without a host",
}

// leftOut counts the measured intervals of hosts that were left out, after a text. If
// there are none, it is "nothing", or empty if there is a text.
func leftOut(text string, left usage.Rejects) string {
	var all []string
	sum := 0
	for _, reason := range slices.Sorted(maps.Keys(left)) {
		all = append(all, fmt.Sprintf("%d %s", left[reason], cmp.Or(reasons[reason], reason)))
		sum += left[reason]
	}
	switch {
	case sum > 0:
		return fmt.Sprintf("%s%d measured (%s)", text, sum, strings.Join(all, ", "))
	case text == "":
		return "nothing"
	}
	return ""
}

// lasting is the end of a validity after its start: "on" if it has none.
func lasting(to time.Time, zone *time.Location) string {
	if to.IsZero() {
		return "on"
	}
	return "to " + when.Written(to, zone)
}

// both returns the watts of a rating and their source.
func both(r usage.Rating) string {
	return fmt.Sprintf("%.3g W and %.3g W (%s)", float64(r.Watts.Busy), float64(r.Watts.Idle), r.Source)
}
