// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"net/http"
	"sync"
	"time"
)

// UKAPI answers like the UK Carbon Intensity API, with its oddities: an answer also has the
// slot that ends at `from`, a range of more than 14 days is an error, a range over new year
// loses the slots that end after 31 December, actuals come late and are revised, and regions
// have none. It starts as Healthy.
type UKAPI struct {
	seed   uint64
	now    func() time.Time
	routes *http.ServeMux

	mu       sync.Mutex
	fault    Fault
	requests int
}

// NewUKAPI returns an API whose clock is now.
func NewUKAPI(seed uint64, now func() time.Time) *UKAPI {
	u := &UKAPI{seed: seed, now: now, routes: http.NewServeMux()}
	u.routes.HandleFunc("GET /intensity/{from}/{to}", u.national)
	u.routes.HandleFunc("GET /regional/intensity/{from}/{to}/regionid/{region}", u.regionByID)
	u.routes.HandleFunc("GET /regional/intensity/{from}/{to}/postcode/{postcode}", u.regionByPostcode)
	u.routes.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "Requested resource not found.")
	})
	return u
}

// Grid returns the truth behind the answers: 0 is the nation, 1 to 17 its regions.
func (u *UKAPI) Grid(region int) Grid { return Grid{Seed: u.seed, Region: region} }

// SetFault makes every answer fail in this way, until the next call.
func (u *UKAPI) SetFault(f Fault) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fault = f
}

// Requests returns the number of requests so far, including failed ones.
func (u *UKAPI) Requests() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.requests
}

func (u *UKAPI) currentFault() Fault {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.fault
}

// ServeHTTP serves the routes that carbon_exporter may use.
func (u *UKAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.requests++
	u.mu.Unlock()
	if !fail(w, u.currentFault()) {
		u.routes.ServeHTTP(w, r)
	}
}
