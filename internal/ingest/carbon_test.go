// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/intensity"
	"github.com/carbon-exporter/carbon_exporter/internal/simulate"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestAProviderWithoutAnOutlookStillHasAPast(t *testing.T) {
	r := newRig(t)
	settings := r.spine.current()
	settings.Grid = Chain{&intensity.UK{
		Upstream: local(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if strings.HasSuffix(req.URL.Path, "/fw48h") {
				http.NotFound(w, req)
				return
			}
			r.grid.ServeHTTP(w, req)
		})),
		URL: "http://grid.test", Now: r.spine.Clock.Now,
	}}
	r.spine.Reload(settings)
	if err := r.energy(); err != nil {
		t.Fatal(err)
	}
	if err := r.carbon(); err == nil {
		t.Error("the missing outlook is no error")
	}
	r.want(map[usage.State]int{usage.Provisional: 48})
	asked := r.grid.Requests()
	r.now = r.now.Add(9 * time.Minute)
	if err := r.carbon(); err != nil || r.grid.Requests() != asked {
		t.Errorf("asked %d times more before anything was due, error %v", r.grid.Requests()-asked, err)
	}
}

func TestUnpricedIntervalsHurryThePolls(t *testing.T) {
	r := newRig(t)
	r.grid.SetFault(simulate.NoValues)
	r.both()
	var polls []int
	for minute := 1; minute <= 40; minute++ {
		r.now = r.now.Add(time.Minute)
		asked := r.grid.Requests()
		if err := r.carbon(); err != nil {
			t.Fatal(err)
		}
		if r.grid.Requests() > asked {
			polls = append(polls, minute)
		}
	}
	// A minute after the first, then 2, 4, 8 and every 10; the outlook at 27, as the slot turns.
	if len(polls) < 5 || polls[0] != 1 || polls[1] != 3 || polls[2] != 7 || polls[3] != 15 || len(polls) > 8 {
		t.Errorf("polled after minutes %v", polls)
	}
}
