// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
)

// A program that is killed again and again while it catches up loses nothing
// that it has committed and counts nothing twice. Half of the kills come at any
// moment after a start, half after the answers, when one commit follows another.
func TestKillNineWhileCatchingUp(t *testing.T) {
	const times = 25
	s, uk := newSite(t, 4, engine.Options{}), newGrid(t)
	answers := &answers{next: s.engine.Handler(), given: make(chan struct{}, 100)}
	// A run of intervals is one commit: the server takes a few of them at a time, so
	// that there are many.
	over := spanOf(5*time.Minute, 12*time.Hour)
	wanted := settings{prometheus: serve(t, answers).URL, uk: uk.URL}
	want := truth(s.cloud, over, uk.price)
	draw := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	kills, stores, halfway := 0, 0, 0
	for kills < times {
		where := wanted.place(t, over)
		stores++
		for committed := 0; kills < times && committed < len(over.intervals()); kills++ {
			p := launch(t, append(where.args(), "--web.listen-address=127.0.0.1:0")...)
			if kills%2 == 1 {
				answers.await(t, 3)
			}
			moment := time.NewTimer(time.Duration(20+draw.IntN(200)) * time.Millisecond)
			select {
			case <-moment.C:
			case <-p.Ended:
				t.Fatalf("after %d kills the program ended by itself:\n%s", kills, p.Stderr.String())
			}
			p.kill()
			answers.forget()
			now := stored(t, where.store)
			if now < committed {
				t.Fatalf("%d intervals were committed, after a kill there are %d", committed, now)
			}
			if committed < now && now < len(over.intervals()) {
				halfway++
			}
			committed = now
		}
		p := start(t, where.args()...)
		p.becomesWhole(over).checkUsage(t, want.total())
		p.terminate()
		checkIntervals(t, where.store, over)
		checkStore(t, where.store, want)
		answers.forget()
	}
	if halfway == 0 {
		t.Error("no kill hit a program that was catching up")
	}
	t.Logf("%d kills on %d stores, %d while catching up", kills, stores, halfway)
}

// answers says when an engine has answered, and refuses runs of more than two hours as too
// large. Of a run the counters are asked for with a piece more at either end.
type answers struct {
	next  http.Handler
	given chan struct{}
}

func (a *answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	from, _ := strconv.ParseFloat(r.FormValue("start"), 64)
	to, _ := strconv.ParseFloat(r.FormValue("end"), 64)
	step, _ := strconv.ParseFloat(r.FormValue("step"), 64)
	if strings.HasPrefix(r.FormValue("query"), "sum by") && (to-from)/step > 24+2 {
		w.WriteHeader(http.StatusUnprocessableEntity)
		io.WriteString(w, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`)
		return
	}
	a.next.ServeHTTP(w, r)
	if r.URL.Path != "/api/v1/query_range" {
		return // about the site, and not about its usage
	}
	select {
	case a.given <- struct{}{}:
	default: // nobody waits for so many
	}
}

func (a *answers) await(t *testing.T, n int) {
	t.Helper()
	for range n {
		select {
		case <-a.given:
		case <-time.After(waitFor):
			t.Fatal("the program does not ask")
		}
	}
}

func (a *answers) forget() {
	for len(a.given) > 0 {
		<-a.given
	}
}

// stored is how many intervals have facts. The write-ahead log stays as it is:
// the next start must cope with what the kill has left.
func stored(t *testing.T, path string) (n int) {
	t.Helper()
	copied := t.TempDir() + "/carbon.db"
	for _, part := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + part)
		if err != nil {
			if part == "" {
				return 0 // killed before there was a store
			}
			continue
		}
		if err := os.WriteFile(copied+part, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := openStore(t, copied)
	defer db.Close()
	var tables int
	if err := db.QueryRow("SELECT count(*) FROM sqlite_schema WHERE name = 'usage_interval'").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if tables == 0 {
		return 0 // killed before the first migration was whole
	}
	if err := db.QueryRow("SELECT count(*) FROM usage_interval WHERE state IN ('unpriced', 'provisional', 'settled')").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
