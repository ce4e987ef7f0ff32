// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Times that are longer than one answer are asked for in parts, whose runs are joined.
func TestAppearancesAreJoinedOverSeveralAnswers(t *testing.T) {
	begin := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	var asked []url.Values
	answer := func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked = append(asked, r.Form)
		start, _ := strconv.ParseInt(r.Form.Get("start"), 10, 64)
		end, _ := strconv.ParseInt(r.Form.Get("end"), 10, 64)
		var ada, nobody []string
		for at := start; at <= end; at += 60 {
			switch minute := (at - begin.Unix()) / 60; {
			case minute < 130:
				ada = append(ada, fmt.Sprintf(`[%d,"1"]`, at))
			case minute >= 200:
				nobody = append(nobody, fmt.Sprintf(`[%d,"NaN"]`, at))
			}
		}
		var all []string
		if ada != nil {
			all = append(all, `{"metric":{"domain":"h","user.name":"ada"},"values":[`+strings.Join(ada, ",")+`]}`)
		}
		if nobody != nil {
			all = append(all, `{"metric":{"domain":"h"},"values":[`+strings.Join(nobody, ",")+`]}`)
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(all, ","))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answer(w, r) }))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &Client{Upstream: &upstream.Client{HTTP: server.Client(), Timeout: 10 * time.Second, MaxBytes: 1 << 20}, URL: at}
	ask := func() ([]usage.Appearance, error) {
		return c.Appearances(t.Context(), "info", `job="x"`, []string{"domain", "user.name"}, begin.Add(30*time.Second), begin.Add(300*time.Minute), time.Minute)
	}
	got, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	want := []usage.Appearance{
		{Values: []string{"h", "ada"}, Runs: []usage.Run{{First: minute(0), Last: minute(129)}}},
		{Values: []string{"h", ""}, Runs: []usage.Run{{First: minute(200), Last: minute(300)}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	if len(asked) != 3 || asked[0].Get("query") != `max by (domain, "user.name") (info{job="x"})` || asked[0].Get("partial_response") != "false" {
		t.Errorf("asked %d times, first %v", len(asked), asked[0])
	}

	// Half an answer would take hosts from their owners.
	whole := answer
	answer = func(w http.ResponseWriter, r *http.Request) {
		if len(asked) < 5 {
			whole(w, r)
			return
		}
		fmt.Fprint(w, `{"status":"success","warnings":["a store is away"],"data":{"resultType":"matrix","result":[]}}`)
	}
	var failure *usage.Failure
	if got, err = ask(); got != nil || !errors.As(err, &failure) || failure.Reason != usage.ReasonPartial {
		t.Errorf("got %v, %v", got, err)
	}
}
