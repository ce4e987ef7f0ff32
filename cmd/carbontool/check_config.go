package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// runCheckConfig says whether a file is valid and, in a few lines, what it means:
// a typing error in a valid value is found by reading the value back.
func runCheckConfig(file string, stdout, stderr io.Writer) int {
	c, err := config.Load(file)
	if err != nil {
		fmt.Fprintf(stderr, "%s\n", err) // each of its lines begins with the file
		return exitFailed
	}
	fmt.Fprintf(stdout, "%s: ok\n", file)
	for _, line := range summary(c) {
		fmt.Fprintf(stdout, "  %s\n", line)
	}
	for _, unused := range c.NotYetUsed() {
		fmt.Fprintf(stdout, "warning: %s\n", unused)
	}
	return exitDone
}

// summary is what the configuration means.
func summary(c *config.Config) []string {
	return []string{
		fmt.Sprintf("interval: %s, an empty store starts %s back, prices are final after %s", c.Interval, c.Lookback, c.SettleAfter),
		"prometheus: " + config.PublicURL(c.Prometheus.URL) + ", " + series(c.Prometheus),
		fmt.Sprintf("power: %v W busy and %v W idle per core, PUE %v, machine types with watts of their own: %d",
			c.Power.BusyWatts, c.Power.IdleWatts, c.Power.PUE, len(c.Power.Machines)),
		"carbon intensity: " + intensity(c.CarbonIntensity),
		fmt.Sprintf("attribution: by %s, %s", c.Attribution.GroupBy, groups(c.Attribution.Groups)),
		fmt.Sprintf("budgets: %d, in %s", len(c.Budgets), c.Timezone),
	}
}

func series(p config.Prometheus) string {
	switch {
	case p.BusyQuery != "":
		return "queries of its own"
	case p.Matchers != "":
		return p.Metric + "{" + p.Matchers + "}"
	}
	return p.Metric
}

func intensity(c config.CarbonIntensity) string {
	switch {
	case c.Provider == config.ProviderStatic:
		return fmt.Sprintf("static, %v gCO2eq/kWh, grid %s", c.Static.GCO2eqPerKWh, c.Static.Grid)
	case c.UK.RegionID != 0:
		return fmt.Sprintf("%s, region %d, from %s", c.Provider, c.UK.RegionID, config.PublicURL(c.UK.URL))
	case c.UK.Postcode != "":
		return fmt.Sprintf("%s, postcode %s, from %s", c.Provider, c.UK.Postcode, config.PublicURL(c.UK.URL))
	}
	return fmt.Sprintf("%s, national, from %s", c.Provider, config.PublicURL(c.UK.URL))
}

func groups(groups []config.Group) string {
	if len(groups) == 0 {
		return "no named groups"
	}
	described := make([]string, len(groups))
	for i, group := range groups {
		described[i] = group.Name + " (" + strings.Join(group.Projects, ", ") + ")"
	}
	return "named groups: " + strings.Join(described, "; ")
}
