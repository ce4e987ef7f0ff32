// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestServersThatRefuse(t *testing.T) {
	tooMany := `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory in query execution"}`
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   usage.Failure
	}{
		{"500", status(500, "oh"), usage.Failure{Reason: usage.ReasonServer, Status: 500}},
		{"502 with a page of HTML", status(502, "<html>"), usage.Failure{Reason: usage.ReasonServer, Status: 502}},
		{"503", status(503, ""), usage.Failure{Reason: usage.ReasonServer, Status: 503}},
		{"503 for time", status(503, `{"status":"error","errorType":"timeout","error":"query timed out"}`), usage.Failure{Reason: usage.ReasonTooLarge, Status: 503, TooLarge: true}},
		{"422", status(422, tooMany), usage.Failure{Reason: usage.ReasonTooLarge, Status: 422, TooLarge: true}},
		{"400", status(400, `{"status":"error","errorType":"bad_data","error":"parse error"}`), usage.Failure{Reason: usage.ReasonBadRequest, Status: 400, Permanent: true}},
		{"401", status(401, ""), usage.Failure{Reason: usage.ReasonAuth, Status: 401, Permanent: true}},
		{"403", status(403, ""), usage.Failure{Reason: usage.ReasonAuth, Status: 403, Permanent: true}},
		{"429 that says when", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		}, usage.Failure{Reason: usage.ReasonRateLimited, Status: 429, RetryAfter: 7 * time.Second}},
		{"connection that breaks", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, usage.Failure{Reason: usage.ReasonConnection}},
		{"answer that breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, matrix(host("a", "1"))[:90])
		}, usage.Failure{Reason: usage.ReasonConnection}},
	}
	for _, test := range tests {
		// What is asked for before is answered. In the second half hour a host is born, which
		// needs a closer look.
		for place, s := range map[string]*server{
			"query sum by (":      {counters: test.answer},
			"query count by (cl":  {fleet: born(), cores: test.answer},
			"query count by (ins": {fleet: born(), seen: test.answer},
			"query node_cpu_":     {fleet: born(), raw: test.answer},
			"query busy":          {busy: test.answer},
			"query idle":          {busy: says(matrix(host("a", "1"))), idle: test.answer},
			"query cores":         {cores: test.answer},
		} {
			t.Run(test.name+", "+place, func(t *testing.T) {
				c := s.client(t)
				switch place {
				case "query busy", "query idle":
					c = s.given(t)
				case "query cores":
					c.Query.CoresQuery = "cores"
				}
				f, err := failure(t, c, twoHalfHours)
				got := usage.Failure{Reason: f.Reason, Status: f.Status, RetryAfter: f.RetryAfter, Permanent: f.Permanent, TooLarge: f.TooLarge}
				if got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
				if !strings.HasPrefix(err.Error(), place) {
					t.Errorf("%q does not name the query", err)
				}
			})
		}
	}
}

// born is a host that begins at minute 40 of a run.
func born() *fleet {
	f := &fleet{}
	f.machine("a", 1, 0).runs(40, 120)
	return f
}

func TestServerThatIsNotThere(t *testing.T) {
	web := httptest.NewServer(nil)
	web.Close()
	if f, _ := failure(t, clientOf(t, web.URL), halfHour); f.Reason != usage.ReasonConnection || f.TooLarge {
		t.Errorf("got %+v", f)
	}
}

func TestSlowServers(t *testing.T) {
	slow := map[string]http.HandlerFunc{
		"no byte": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"half an answer, then a byte now and then": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[`+host("a", "1"))
			drip(w, r)
		},
		"a whole answer that does not end": func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, matrix(host("a", "1")))
			drip(w, r)
		},
	}
	for name, answer := range slow {
		t.Run(name, func(t *testing.T) {
			for place, s := range map[string]*server{"counters": {counters: answer}, "raw": {fleet: born(), raw: answer}} {
				c := s.client(t)
				c.Upstream.(*upstream.Client).Timeout = soon
				if place == "raw" {
					c.Upstream.(*upstream.Client).Timeout = 10 * soon // for what is answered before
				}
				if f, _ := failure(t, c, twoHalfHours); f.Reason != usage.ReasonTimeout || !f.TooLarge {
					t.Errorf("%s: got %+v", place, f)
				}
			}
		})
	}
	t.Run("a list of projects that does not end", func(t *testing.T) {
		s := &server{counters: status(http.StatusUnprocessableEntity, ""), projects: drip}
		c := s.client(t)
		c.Upstream.(*upstream.Client).Timeout = soon
		if f, _ := failure(t, c, halfHour); f.Reason != usage.ReasonTimeout {
			t.Errorf("got %+v", f)
		}
	})
}

// drip writes a byte at a time until the client has gone.
func drip(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(soon / 20)
	defer tick.Stop()
	for {
		io.WriteString(w, " ")
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

func TestNoGoroutineStaysBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("exchange", func(t *testing.T) {
		c := (&server{counters: drip}).client(t)
		c.Upstream.(*upstream.Client).Timeout = soon
		failure(t, c, halfHour)
	})
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		<-tick.C
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestEndOfTheCallersContextIsNobodysFailure(t *testing.T) {
	for _, place := range []string{"counters", "raw", "projects"} {
		ctx, cancel := context.WithCancel(t.Context())
		end := func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, `{"status":`)
			w.(http.Flusher).Flush()
			cancel()
			<-r.Context().Done()
		}
		s := map[string]*server{
			"counters": {counters: end},
			"raw":      {fleet: born(), raw: end},
			"projects": {counters: status(http.StatusUnprocessableEntity, ""), projects: end},
		}[place]
		run := twoHalfHours
		if place == "projects" {
			run = halfHour
		}
		_, _, err := s.client(t).Read(ctx, run)
		var f *usage.Failure
		if !errors.Is(err, context.Canceled) || errors.As(err, &f) {
			t.Errorf("%s: got %v, want the context's own error", place, err)
		}
	}
}

func TestErrorsShowNoCredential(t *testing.T) {
	cfg := config.DefaultHTTPClientConfig
	cfg.BasicAuth = &config.BasicAuth{Username: "reader", Password: "open sesame"}
	h, err := upstream.NewHTTPClient(cfg, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.CloseIdleConnections)
	echo := func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		http.Error(w, r.Header.Get("Authorization")+password, http.StatusForbidden)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, c := range map[string]*Client{"refused": (&server{counters: echo}).client(t), "not there": clientOf(t, gone.URL)} {
		c.Upstream.(*upstream.Client).HTTP = h
		c.URL.User = nil
		_, err := failure(t, c, halfHour)
		for _, secret := range []string{"sesame", "cmVhZGVy"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %q shows %s", name, err, secret)
			}
		}
	}
}

func TestErrorOfAHugeProjectIsShort(t *testing.T) {
	huge := strings.Repeat("long\n⚡", 10_000)
	s := &server{
		counters: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) },
		projects: says(`{"status":"success","data":[` + strconv.Quote(huge) + `]}`),
	}
	_, err := failure(t, s.client(t), halfHour) // looks at its length
	for _, want := range []string{`project "long`, "query sum by (", "422"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not have %q", err, want)
		}
	}
	if !strings.Contains(s.asked[len(s.asked)-1], huge[:4]) || len(s.asked[len(s.asked)-1]) < len(huge) {
		t.Error("the question itself was cut")
	}
}

func TestSplitByProject(t *testing.T) {
	// of answers 422 for all projects together, else what is that project's.
	of := func(answers map[string]string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			for project, answer := range answers {
				if strings.Contains(r.FormValue("query"), fmt.Sprintf(`,cloud_project_name="%s"}`, project)) {
					io.WriteString(w, answer)
					return
				}
			}
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}
	all := map[string]string{`\"a\\`: matrix(steady("1", 10, 1790, 3)), "b": matrix(steady("2", 20, 1780, 3)), "": matrix(steady("3", 30, 1770, 3))}
	two := map[string]string{"b": all["b"], "": all[""]}
	list := `{"status":"success","data":["\"a\\","b"]}`
	tests := []struct {
		name   string
		server *server
		want   string // reason of the failure; "": three hosts
	}{
		{name: "every project is answered", server: &server{counters: of(all), projects: says(list)}},
		{name: "one project is not", server: &server{counters: of(two), projects: says(list)}, want: usage.ReasonTooLarge},
		{name: "the list is not to be had", server: &server{counters: of(all), projects: status(404, "")}, want: usage.ReasonBadRequest},
		{name: "the list is not whole", server: &server{counters: of(all), projects: says(`{"status":"success","data":["b"],"warnings":["limit"]}`)}, want: usage.ReasonPartial},
		{name: "the list is absent", server: &server{counters: of(all), projects: says(`{"status":"success"}`)}, want: usage.ReasonMalformed},
		{name: "the list is null", server: &server{counters: of(all), projects: says(`{"status":"success","data":null}`)}, want: usage.ReasonMalformed},
		{name: "the list is an error", server: &server{counters: of(all), projects: says(`{"status":"error","error":"no","data":[]}`)}, want: usage.ReasonMalformed},
		{name: "the list is cut off", server: &server{counters: of(all), projects: says(`{"status":"success","data":["b"`)}, want: usage.ReasonMalformed},
		{name: "the list goes on", server: &server{counters: of(all), projects: says(list + list)}, want: usage.ReasonMalformed},
		{name: "the list is a page", server: &server{counters: of(all), projects: says("<html>")}, want: usage.ReasonMalformed},
		{name: "the list is of numbers", server: &server{counters: of(all), projects: says(`{"status":"success","data":[1]}`)}, want: usage.ReasonMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.want != "" {
				if f, _ := failure(t, test.server.client(t), halfHour); f.Reason != test.want {
					t.Errorf("got %+v, want %s", f, test.want)
				}
				return
			}
			reading, _ := read(t, test.server.client(t))
			want := []usage.Sample{sample("1", 10, 1790), sample("2", 20, 1780), sample("3", 30, 1770)}
			if fmt.Sprint(reading.Samples) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", reading.Samples, want)
			}
		})
	}
	t.Run("several intervals are left for a smaller run", func(t *testing.T) {
		s := &server{counters: of(all), projects: says(list)}
		if f, _ := failure(t, s.client(t), twoHalfHours); !f.TooLarge || len(s.asked) != 1 {
			t.Errorf("got %+v after %q", f, s.asked)
		}
	})
}
