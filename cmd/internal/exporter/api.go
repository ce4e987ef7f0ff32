// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter

import (
	"context"
	"fmt"
	"maps"
	"net/http"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/answers"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/api"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/door"
	"github.com/carbon-exporter/carbon_exporter/internal/privacy"
)

// openAPI opens what the API reads, if it is on.
func (d *daemon) openAPI(ctx context.Context) (err error) {
	if !d.flags.enableAPI {
		return nil
	}
	if d.apart, err = d.store.Apart(ctx, api.AtOnce); err != nil {
		return fmt.Errorf("open store %s for the API: %w", d.flags.storagePath, err)
	}
	return nil
}

func (d *daemon) closeAPI() error {
	if d.apart == nil {
		return nil
	}
	return d.apart.Close()
}

// apiHandler answers the API, behind a door of its own; while it is off, behind that of pages.
func (d *daemon) apiHandler(pages *door.Door) http.Handler {
	if d.apart == nil {
		return pages.Handler(http.HandlerFunc(api.Off))
	}
	server := &api.Server{Store: d.apart, State: d.answerState, Now: d.clock.Now, Log: d.log}
	return server.Handler()
}

// answerState is what answers depend on beside the store and the time.
func (d *daemon) answerState() api.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	settings := d.parts.Settings
	return api.State{
		Config: d.config, Generation: d.generation, Users: usersShown(d.parts.Labels, d.named),
		Grids: parts.Grids{Priced: settings.Grid, Factors: settings.Factors, Marginal: settings.Marginal},
	}
}

// usersShown shows users as /metrics does; nil: by id, all of them.
func usersShown(labels privacy.Labels, named map[string]bool) answers.Users {
	if labels.Mode == privacy.ID && labels.MaxUsers == 0 {
		return nil
	}
	return func(id string) (label string, somebody bool) {
		label = labels.Shown(id, named)
		return label, label != privacy.Other
	}
}

// name keeps which users /metrics shows as somebody.
func (d *daemon) name(named map[string]bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if (named == nil) != (d.named == nil) || !maps.Equal(named, d.named) {
		d.named = named
		d.generation++
	}
}
