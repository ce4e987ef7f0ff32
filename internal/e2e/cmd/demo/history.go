package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// until waits for a page to answer 200.
func until(ctx context.Context, c *child, url string) error {
	return poll(ctx, c, func() (bool, error) {
		resp, err := http.Get(url)
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK, nil
	})
}

func poll(ctx context.Context, c *child, ready func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := ready(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-c.done:
			c.done <- err
			return errors.Join(errors.New("it has ended"), err)
		case <-tick.C:
		}
	}
}

// scrape is what /metrics says.
type scrape map[string]*dto.MetricFamily

// history waits until every interval is stored, priced and attributed: energy does
// not wait for the directory, and what was nobody's before it is done again. In
// this cloud little stays so.
func history(ctx context.Context, c *child) (scrape, error) {
	var seen scrape
	err := poll(ctx, c, func() (bool, error) {
		resp, err := http.Get("http://" + exporter + "/metrics")
		if err != nil {
			return false, nil //nolint:nilerr // not listening yet
		}
		defer resp.Body.Close()
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(resp.Body)
		if err != nil {
			return false, err
		}
		seen = families
		state := seen.sum("carbon_intervals", "state")
		whole := state["provisional"]+state["settled"] > 0 && state["missing"]+state["unpriced"] == 0
		mode, user := seen.sum("carbon_energy_kwh", "mode"), seen.sum("carbon_energy_kwh", "user")
		return whole && user["unattributed"] < (mode["busy"]+mode["idle"])/2, nil
	})
	return seen, err
}
