// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/built"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/store/storetest"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// A program that is killed again and again while it publishes leaves a lake in which nothing is
// missing, nothing is there twice, and which adds up to its store: carbontool says so, which reads
// every file. First all days are new, then half of them are restated.
func TestKillNineWhilePublishing(t *testing.T) {
	t.Parallel()
	const days, times = 30, 6
	where, bucket, from := lakePlace(t, days+3)
	s, err := store.Open(t.Context(), where.store, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range days + 1 { // a day is over once there is one after it
		storetest.Commit(t, s, settledRecord(from.AddDate(0, 0, n), 24, 100))
	}
	first := func() (n int) {
		for day := range days {
			if lakeManifest(t, bucket, from.AddDate(0, 0, day)) != nil {
				n++
			}
		}
		return n
	}
	restated := func() (n int) {
		for day := range days / 2 {
			if m := lakeManifest(t, bucket, from.AddDate(0, 0, day)); m != nil && m.Revision == 2 {
				n++
			}
		}
		return n
	}
	draw := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	killed, halfway := 0, 0
	// kill kills the program at any moment after it has begun to do something new.
	kill := func(done func() int, all int) {
		before := done()
		p := launch(t, append(where.args(), "--web.listen-address=127.0.0.1:0")...)
		eventually(t, waitFor, "the program publishes", func() error {
			if now := done(); now > before || now == all {
				return nil
			}
			return fmt.Errorf("%d of %d days:\n%s", before, all, built.Tail(p.Stderr.String()))
		})
		time.Sleep(time.Duration(draw.IntN(20)) * time.Millisecond)
		p.kill()
		killed++
		if now := done(); now < all {
			halfway++
		} else if now > all {
			t.Fatalf("%d days are published, of %d", now, all)
		}
	}
	for range times / 2 {
		kill(first, days)
	}
	finish := func(done func() int, all int) {
		p := start(t, where.args()...)
		eventually(t, waitFor, "all is published", func() error {
			if n := done(); n < all {
				return fmt.Errorf("%d days of %d", n, all)
			}
			return nil
		})
		p.terminate()
	}
	finish(first, days)
	for n := range days / 2 {
		storetest.CommitAs(t, s, usage.Policy{Restate: true, Why: usage.BecauseRestate}, settledRecord(from.AddDate(0, 0, n), 24, 333))
	}
	for range times / 2 {
		kill(restated, days/2)
	}
	finish(restated, days/2)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if halfway == 0 {
		t.Error("no kill hit a program that was publishing")
	}
	t.Logf("%d kills, %d while publishing", killed, halfway)
	verify := exec.Command(filepath.Join(scratch, "carbontool"), "lake", "verify", "--objstore.config-file="+filepath.Join(filepath.Dir(where.config), "bucket.yml"),
		"--site=harwell", "--storage.path="+where.store)
	if out, err := verify.CombinedOutput(); err != nil || strings.Contains(string(out), "FAILED") || !strings.Contains(string(out), "store       ok") {
		t.Errorf("carbontool lake verify: %v\n%s", err, out)
	}
}
