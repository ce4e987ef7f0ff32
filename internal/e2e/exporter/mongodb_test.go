// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package exporter_test

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/ferret/ferrettest"
	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// TestUsageIsWrittenToMongoDB reads back there what groups and users have used: both
// add up to the site. Its directory is there and empty: labels say whose it was.
func TestUsageIsWrittenToMongoDB(t *testing.T) {
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, 6*time.Hour)
	uri := ferrettest.Serve(t, nil)
	where := settings{
		prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL,
		more: fmt.Sprintf("mongodb: {uri: %q, database: ada, usage_database: usage, refresh: 10s}", uri),
	}.place(t, over)
	want := truth(s.cloud, over, uk.price)
	p := start(t, append(where.args(), "--collector.workspace")...)
	seen := p.becomesWhole(over)
	seen.checkUsage(t, want.total())

	var kwh float64
	for _, a := range want.total() {
		kwh += a.KWh.Total()
	}
	reader, err := mongo.Open(mongo.Options{URI: uri, Database: "usage", Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	addUp := func() {
		t.Helper()
		for _, collection := range []string{"group_usage", "user_usage"} {
			eventually(t, waitFor, collection+" adds up to the site", func() error {
				var sum float64
				for doc, err := range reader.Find(t.Context(), collection, mongo.Find{}) {
					if err != nil {
						return err
					}
					sum += doc.Lookup("busy_kwh").Double() + doc.Lookup("idle_kwh").Double()
				}
				if math.Abs(sum-kwh) > 1e-6*kwh {
					return fmt.Errorf("it has %v kWh, the site %v", sum, kwh)
				}
				return nil
			})
		}
	}
	addUp()
	for _, line := range []string{
		`carbon_exporter_source_up{source="mongodb"} 1`, `carbon_exporter_source_up{source="mongodb_usage"} 1`,
		"carbon_exporter_directory_timestamp_seconds ", "carbon_workspace_info{", "carbon_workspace_energy_kwh{",
	} {
		// What was written can be read before the writer has heard so.
		eventually(t, waitFor, "/metrics has "+line, func() error {
			if _, body := p.page("/metrics", ""); !strings.Contains(string(body), line) {
				return errors.New("it has not")
			}
			return nil
		})
	}
	p.terminate()
	if strings.Contains(p.Stderr.String(), "level=ERROR") {
		t.Errorf("it logged errors:\n%s", p.Stderr.String())
	}

	// A person who is forgotten leaves what was written of them.
	person := ""
	for key := range want.total() {
		if key.User != usage.Unattributed {
			person = key.User
		}
	}
	of := func(user string) int64 {
		t.Helper()
		n, err := reader.Count(t.Context(), "user_usage", map[string]string{"user": user}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := of(person)
	if before == 0 {
		t.Fatalf("%s has no usage there", person)
	}
	alias := forget(t, where.store, person)
	p = start(t, where.args()...)
	eventually(t, waitFor, person+" is gone from user_usage", func() error {
		if left, now := of(person), of(alias); left != 0 || now != before {
			return fmt.Errorf("%d of %d documents are left, %s has %d", left, before, alias, now)
		}
		return nil
	})
	addUp()
	p.terminate()
}

// forget removes a person from a store and gives what they are called since.
func forget(t *testing.T, path, person string) (alias string) {
	t.Helper()
	code, stdout, stderr := tool(t, "forget-user", person, "--yes", "--storage.path="+path)
	alias = aliasForm.FindString(stdout)
	if code != 0 || alias == "" || strings.Contains(stdout, person) {
		t.Fatalf("forget-user ends with %d: %s%s", code, stdout, stderr)
	}
	return alias
}

// aliasForm is what people are called once they were forgotten.
var aliasForm = regexp.MustCompile("forgotten-[0-9a-f]{8}")

// A name that DNS does not know, or a DNS server that is away, is a MongoDB that is away: the
// program runs, and tries again.
func TestAnAddressThatCannotBeLookedUpIsAMongoDBThatIsAway(t *testing.T) {
	t.Parallel()
	s, uk := sharedSite(t), newGrid(t)
	over := spanOf(30*time.Minute, time.Hour)
	where := settings{
		prometheus: serve(t, s.engine.Handler()).URL, uk: uk.URL, more: directoryAt("mongodb+srv://carbon:hunter2@mongodb.test.invalid/"),
	}.place(t, over)
	p := start(t, where.args()...)
	p.becomesWhole(over)
	eventually(t, waitFor, "two attempts have failed", func() error {
		failed := 0.0
		for _, reason := range []string{"connection", "timeout"} {
			n, _ := p.scrape().value("carbon_exporter_source_errors_total", "source", "mongodb", "reason", reason)
			failed += n
		}
		if failed < 2 {
			return fmt.Errorf("%v attempts have failed", failed)
		}
		return nil
	})
	if up, ok := p.scrape().value("carbon_exporter_source_up", "source", "mongodb"); !ok || up != 0 {
		t.Errorf("source_up is %v, %v", up, ok)
	}
	p.terminate()
	if strings.Contains(p.Stderr.String(), "hunter2") {
		t.Error("the log shows the password")
	}
}
