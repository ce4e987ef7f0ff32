// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// errEmpty refuses a file that a start accepts: the defaults would show users by id and query
// another Prometheus.
var errEmpty = errors.New("sets no key; was it truncated while being saved? To go back to the defaults, set one key to its default, or restart carbon_exporter")

func (d *daemon) reloadOnHangup(ctx context.Context, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			d.reload(ctx) //nolint:errcheck // logged and counted there
		}
	}
}

// reload is a reload that waits for the one under way. All who ask meanwhile share it,
// so that many requests can't keep the program busy long after they have gone.
type reload struct {
	done chan struct{}
	err  error // once it is done
}

// reload loads the configuration again, as it is now or a little later.
func (d *daemon) reload(ctx context.Context) error {
	d.mu.Lock()
	r := d.nextReload
	if r != nil {
		d.mu.Unlock()
		<-r.done
		return r.err
	}
	r = &reload{done: make(chan struct{})}
	d.nextReload = r
	d.mu.Unlock()

	d.reloading.Lock()
	defer d.reloading.Unlock()
	d.mu.Lock()
	d.nextReload = nil // whoever asks from here on may have changed the file since
	d.mu.Unlock()
	defer close(r.done)
	r.err = d.reloadNow(ctx)
	return r.err
}

// reloadNow loads the configuration again, completely or not at all.
func (d *daemon) reloadNow(ctx context.Context) error {
	was, _ := d.current()
	err := d.tryReload()
	d.Reloaded(err)
	if err != nil {
		d.log.Error("Loading configuration failed; keeping the current one", "err", err)
		return err
	}
	is, _ := d.current()
	d.log.Info("Loaded configuration", "file", d.flags.configFile, "changed", listed(config.Changes(was, is)))
	for _, e := range exposures(was, is) {
		d.log.Warn("Configuration now shows more about users than before", "key", e.key, "was", e.was, "is", e.is)
	}
	d.warnOfBudgets(ctx, is)
	d.sayLabels(is)
	d.refresh(ctx)
	return nil
}

func (d *daemon) tryReload() error {
	cfg, empty, err := load(d.flags)
	if err != nil {
		return err
	}
	if empty && !absent(d.flags) {
		return fmt.Errorf("%s: %w", d.flags.configFile, errEmpty)
	}
	switch is, _ := d.current(); {
	case cfg.Interval != is.Interval:
		return fmt.Errorf("%s: interval: the store has intervals of %s; for %s start with another --storage.path", d.flags.configFile, is.Interval, cfg.Interval)
	case cfg.Timezone != is.Timezone:
		return fmt.Errorf("%s: timezone: the store has daily sums in %s; restart carbon_exporter to compute them in %s", d.flags.configFile, is.Timezone, cfg.Timezone)
	}
	made, err := parts.New(cfg, d.store, d.clock.Now, d.flags.workspaces, &d.turns)
	if err != nil {
		return fmt.Errorf("%s: %w", d.flags.configFile, err)
	}
	// The file exists now: if it disappears, a reload must not go back to the defaults.
	d.flags.configGiven = d.flags.configGiven || !absent(d.flags)
	d.addLake(cfg, made)
	was := d.use(cfg, made)
	d.spine.Reload(made.Settings)
	if err := was.Close(); err != nil {
		d.log.Warn("Closing the connections of the last configuration failed", "err", err)
	}
	return nil
}

// listed lists a few keys and how many more there are.
func listed(keys []string) string {
	const most = 10
	if len(keys) == 0 {
		return "nothing"
	}
	text := strings.Join(keys[:min(most, len(keys))], ", ")
	if more := len(keys) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// exposure is a key that shows more about users than before.
type exposure struct {
	key     string
	was, is any
}

// exposures returns what a reload reveals. It may be intended, but must be noticed, because
// what was scraped cannot be taken back.
func exposures(was, is *config.Config) (all []exposure) {
	a, b := was.Attribution, is.Attribution
	opening := []string{config.UserLabelNone, config.UserLabelPseudonym, config.UserLabelID}
	before, now := slices.Index(opening, a.UserLabel), slices.Index(opening, b.UserLabel)
	if now > before {
		all = append(all, exposure{"attribution.user_label", a.UserLabel, b.UserLabel})
	}
	if now > 0 && shownUsers(b) > shownUsers(a) {
		all = append(all, exposure{"attribution.max_users", a.MaxUsers, b.MaxUsers})
	}
	// Ids that are read from another label may be names.
	named := b.UserLabel == config.UserLabelID
	if from, to := was.Prometheus.Labels.User, is.Prometheus.Labels.User; named && from != to {
		all = append(all, exposure{"prometheus.labels.user", from, to})
	}
	if now > 0 && is.Metrics.Keep > was.Metrics.Keep { // people who were here long ago
		all = append(all, exposure{"metrics.keep", was.Metrics.Keep, is.Metrics.Keep})
	}
	if now > 0 && was.Fold().User && !is.Fold().User {
		all = append(all, exposure{"metrics.by", was.Metrics.By, is.Metrics.By})
	}
	all = append(all, mongoExposures(was.MongoDB, is.MongoDB, now > 0, named)...)
	return append(all, directoryExposures(was.Directory, is.Directory, now > 0, named)...)
}

// shownUsers is the largest number of users that max_users allows.
func shownUsers(a config.Attribution) int {
	if a.MaxUsers == 0 {
		return math.MaxInt
	}
	return a.MaxUsers
}

func mongoExposures(was, is *config.MongoDB, shown, named bool) (all []exposure) {
	if is == nil {
		return nil
	}
	if was == nil {
		was = &config.MongoDB{Fields: is.Fields}
		if shown {
			all = append(all, exposure{"mongodb", "not configured", "tells who uses which host"})
		}
	}
	if from, to := was.Fields.Users.PlatformName, is.Fields.Users.PlatformName; named && from != to {
		all = append(all, exposure{"mongodb.fields.users.platform_name", from, to})
	}
	if from, to := was.Fields.Workspaces.Owner, is.Fields.Workspaces.Owner; named && from != to {
		all = append(all, exposure{"mongodb.fields.workspaces.owner", from, to})
	}
	if from, to := was.UsageDatabase, is.UsageDatabase; to != "" && from != to {
		all = append(all, exposure{"mongodb.usage_database", from, to})
	}
	return all
}

func directoryExposures(was, is *config.Directory, shown, named bool) (all []exposure) {
	switch {
	case is == nil || !shown:
		return nil
	case was == nil:
		return []exposure{{"directory", "not configured", "tells who uses which host"}}
	case !named || was.Prometheus == nil || is.Prometheus == nil:
		return nil
	}
	if from, to := was.Prometheus.Labels.Owner, is.Prometheus.Labels.Owner; from != to {
		all = append(all, exposure{"directory.prometheus.labels.owner", from, to})
	}
	if from, to := was.Prometheus.Names.User, is.Prometheus.Names.User; to.Metric != "" && from != to {
		all = append(all, exposure{"directory.prometheus.names.user", from.Metric, to.Metric})
	}
	return all
}
