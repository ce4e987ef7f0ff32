// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package worlds_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/worlds"
	"github.com/carbon-exporter/carbon_exporter/internal/source"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// onQueries edits the answers to queries alone.
func onQueries(edit func(string) string) func(http.ResponseWriter, *http.Request, http.Handler) {
	edited := worlds.Edited(edit)
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if strings.Contains(r.URL.Path, "/query") {
			edited(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

func member(text string) func(string) string {
	return func(answer string) string { return strings.Replace(answer, `{"status"`, "{"+text+`,"status"`, 1) }
}

// Answers that say that they are not whole are not used.
func TestPartialAnswers(t *testing.T) {
	s := open(t, newWorld(linux("a"), linux("b")), noOptions, nil)
	hole := open(t, newWorld(linux("a"), scraped(linux("b"), every(30, away(55, 65)))), noOptions, nil)
	nothing := empty(t, newWorld(), noOptions, nil)
	for _, tc := range []struct {
		name string
		on   *stage
		edit func(string) string
		says string
	}{
		{"isPartial", s, member(`"isPartial":true`), ""},
		{"isPartial, at the end", s, func(a string) string { return strings.TrimSuffix(strings.TrimSpace(a), "}") + `,"isPartial":true}` }, ""},
		{"isPartial, of a closer look alone", hole, func(a string) string {
			if strings.Contains(a, `"vector"`) {
				return a
			}
			return member(`"isPartial":true`)(a)
		}, ""},
		{"warnings", s, member(`"warnings":["one of two stores is away"]`), "one of two stores is away"},
		{"a warning after an info", s, member(`"warnings":["PromQL info: metric might not be a counter","one of two stores is away"]`), "one of two stores is away"},
		{"nothing, and a warning that no store matched", nothing, member(`"warnings":["No StoreAPIs matched for this query"]`), "No StoreAPIs matched"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.on.Before(onQueries(tc.edit))
			defer tc.on.Before(nil)
			answer, _, err := tc.on.client.Read(t.Context(), halfHours(3))
			readings := answer.All()
			f := usage.FailureOf(err)
			if f == nil || f.Reason != usage.ReasonPartial || readings != nil {
				t.Fatalf("got %d readings and %v, want it to be partial", len(readings), err)
			}
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("says %q, not %q", err, tc.says)
			}
		})
	}
}

// Remarks on a query are no warnings, and an empty list may be null.
func TestWholeAnswers(t *testing.T) {
	nulls := strings.NewReplacer(`"result":[]`, `"result":null`, `"data":[]`, `"data":null`)
	for _, tc := range []struct {
		name string
		edit func(string) string
	}{
		{"isPartial is false", member(`"isPartial":false`)},
		{"infos among the warnings", member(`"warnings":["PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"cpu\" (1:5)"]`)},
		{"infos", member(`"infos":["PromQL info: metric might not be a counter"]`)},
		{"empty warnings", member(`"warnings":[]`)},
		{"null warnings", member(`"warnings":null`)},
		{"members nobody knows", member(`"stats":{"seriesFetched":"12","executionTimeMsec":3},"trace":null`)},
		{"null in place of an empty list", nulls.Replace},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, machines := range [][]*worlds.Machine{{linux("a"), phased(linux("b"), boot(44))}, nil} {
				s := open(t, newWorld(machines...), noOptions, nil)
				s.Before(onQueries(tc.edit))
				readings := s.read(t, halfHours(3))
				check := tale{slack: 30 * time.Second}
				for i, r := range readings {
					checkForm(t, r)
					if len(machines) == 0 && len(r.Samples)+len(r.Doubts)+len(r.Present) > 0 {
						t.Errorf("%s: nothing is there, but %v", r.Piece, r)
					}
					for _, m := range s.Machines {
						check.checkHost(t, s, r, i, m)
					}
				}
			}
		})
	}
}

// Where a proxy lets no POST pass, it is GET from then on.
func TestPOSTIsRefused(t *testing.T) {
	for _, status := range []int{http.StatusMethodNotAllowed, http.StatusForbidden, http.StatusNotImplemented} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			s := open(t, newWorld(linux("a"), scraped(linux("b"), every(30, away(55, 65)))), noOptions, nil)
			s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.Method == http.MethodPost {
					http.Error(w, "no", status)
					return
				}
				next.ServeHTTP(w, r)
			})
			check := tale{}
			for i, r := range s.read(t, halfHours(3)) {
				for _, m := range s.Machines {
					check.checkHost(t, s, r, i, m)
				}
			}
			posts := func() (n int) {
				for _, r := range s.Asked() {
					if r.Method == http.MethodPost {
						n++
					}
				}
				return n
			}
			if n := posts(); n > 2 {
				t.Errorf("%d POSTs at first", n)
			}
			s.read(t, halfHours(3))
			if n := posts(); n > 0 {
				t.Errorf("%d POSTs after it was known", n)
			}
		})
	}
}

// A server that answers 422 is not asked a hundred times, and is asked again later.
func TestTooLargeForAWhile(t *testing.T) {
	s := open(t, newWorld(linux("a"), linux("b")), noOptions, nil)
	away := true
	s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if away {
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"status":"error","errorType":"execution","error":"expanding series: a backend is away"}`))
			return
		}
		next.ServeHTTP(w, r)
	})
	for _, n := range []int{3, 1} {
		if readings, _, err := s.client.Read(t.Context(), halfHours(n)); !usage.IsTooLarge(err) && err == nil {
			t.Fatalf("got %v, want a failure", readings)
		}
		if asked := len(s.Asked()); asked > 10 {
			t.Errorf("%d requests for %d intervals that the server does not answer", asked, n)
		}
	}
	away = false
	check := tale{}
	for i, r := range s.read(t, halfHours(3)) {
		for _, m := range s.Machines {
			check.checkHost(t, s, r, i, m)
		}
	}
}

// Half of an answer is not 0 of the other half.
func TestAGivenQueryFindsNothing(t *testing.T) {
	const busy, idle = `sum by (cloud_project_name, machine_name, instance, user) (increase(node_cpu_seconds_total{mode!~"idle|iowait"}[$__interval]))`,
		`sum by (cloud_project_name, machine_name, instance, user) (increase(node_cpu_seconds_total{mode=~"idle|iowait"}[$__interval]))`
	for _, tc := range []struct {
		name       string
		busy, idle string
		both       string // a host that has both
	}{
		{"the busy rule does not exist", "instance:carbon_busy:increase30m", idle, ""},
		{"the idle rule does not exist", busy, "instance:carbon_idle:increase30m", ""},
		{"the busy rule does not have one host", strings.ReplaceAll(busy, "{", `{instance!="b",`), idle, "a"},
		{"the idle rule does not have one host", busy, strings.ReplaceAll(idle, "{", `{instance!="b",`), "a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, newWorld(linux("a"), linux("b")), noOptions, func(q *source.Query) { q.BusyQuery, q.IdleQuery = tc.busy, tc.idle })
			answer, _, err := s.client.Read(t.Context(), halfHours(3))
			readings := answer.All()
			if err != nil {
				if f := usage.FailureOf(err); tc.both != "" || f == nil || f.Reason != usage.ReasonPartial {
					t.Errorf("fails with %v", err)
				}
				return
			}
			for _, r := range readings {
				checkForm(t, r)
				for _, host := range []string{"a", "b"} {
					state, why := stateOf(r, host)
					if n := len(booked(r, host)); (host == tc.both) != (n > 0) || (host == tc.both) != (state != usage.HostRefused) {
						t.Errorf("%s: %q is %s (%s), and booked %d times", r.Piece, host, state, why, n)
					}
				}
			}
			if tc.both != "" {
				because("b", usage.DoubtHalf)(t, s, readings)
			}
		})
	}
}

// Given queries with the number of cores obey the law too, and need no idle time.
func TestGivenQueriesWithCores(t *testing.T) {
	const by = "sum by (cloud_project_name, machine_name, instance, user) "
	const busy = by + `(rate(node_cpu_seconds_total{mode!~"idle|iowait|steal"}[$__interval]) * $__interval_seconds)`
	const idle = by + `(increase(node_cpu_seconds_total{mode=~"idle|iowait"}[$__interval]))`
	const cores = `count by (cloud_project_name, machine_name, instance, user) (node_cpu_seconds_total{mode="idle"})`
	given := func(s *stage, busy, idle string) *stage {
		name := s.Machines[0].Labels["world"]
		q := &s.client.Query
		q.BusyQuery, q.IdleQuery, q.CoresQuery = within(name, busy), within(name, idle), within(name, cores)
		return s
	}
	for name, idle := range map[string]string{"with idle": idle, "without idle": ""} {
		t.Run(name, func(t *testing.T) {
			s := given(open(t, newWorld(linux("a"), linux("b")), noOptions, nil), busy, idle)
			check := tale{expect: []expectation{is(exact, "a"), is(exact, "b")}}
			for i, r := range s.read(t, halfHours(3)) {
				checkForm(t, r)
				check.checkSite(t, s, r)
				for _, m := range s.Machines {
					check.checkHost(t, s, r, i, m)
				}
			}
		})
	}
	t.Run("more than the cores can have", func(t *testing.T) {
		twice := strings.ReplaceAll(busy, "{", `{instance="b",`)
		s := given(open(t, newWorld(linux("a"), linux("b")), noOptions, nil), twice+" * 5 or "+busy, idle)
		for _, r := range s.read(t, halfHours(3)) {
			checkForm(t, r)
			if state, why := stateOf(r, "b"); state != usage.HostRefused {
				t.Errorf("%s: \"b\" shows 5 times its busy time and is %s (%s)", r.Piece, state, why)
			}
			if state, why := stateOf(r, "a"); state == usage.HostRefused {
				t.Errorf("%s: \"a\" is refused (%s)", r.Piece, why)
			}
		}
	})
}

// An outage is no answer.
func TestAServerThatIsAway(t *testing.T) {
	s := open(t, newWorld(linux("a"), scraped(linux("b"), every(30, away(55, 65)))), noOptions, nil)
	n := 0
	for after := range 4 { // it goes away after so many answers
		n = 0
		s.Before(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			if n++; n > after {
				http.Error(w, "bad gateway", http.StatusBadGateway)
				return
			}
			next.ServeHTTP(w, r)
		})
		s.Asked()
		answer, _, err := s.client.Read(t.Context(), halfHours(3))
		readings := answer.All()
		switch {
		case err == nil && n > after:
			t.Errorf("answers end after %d, and %d readings came of them", after, len(readings))
		case err != nil && !errors.As(err, new(*usage.Failure)):
			t.Errorf("fails with %v", err)
		}
	}
}
