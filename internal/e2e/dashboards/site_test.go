// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/e2e/engine"
	"github.com/carbon-exporter/carbon_exporter/internal/e2e/rehearsal"
)

// site is a Prometheus that has scraped the demo's exporter, and its store.
type site struct {
	rehearsal.Rehearsal
	now      time.Time
	url      string
	answered map[question]answer
}

var (
	building sync.Once
	built    *site
	buildErr error
	closers  []func() error
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, end := range slices.Backward(closers) {
		if err := end(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// theSite is made once: that takes a minute.
func theSite(t *testing.T) *site {
	t.Helper()
	building.Do(func() { built, buildErr = newSite(t) })
	if buildErr != nil {
		t.Fatal(buildErr)
	}
	return built
}

// when is the end of that history: the same in every run, because the shares of a day that
// new keys and restatements have in a small cloud differ from hour to hour.
var when = time.Date(2026, 11, 26, 14, 25, 0, 0, time.UTC)

// newSite has the demo's exporter live through the last five days and an hour a month
// ago, with 25 days before that in its store: as little as has days that were
// exported, days that were scraped, and last month.
func newSite(t *testing.T) (*site, error) {
	dir, err := os.MkdirTemp("", "dashboards-")
	if err != nil {
		return nil, err
	}
	closers = append(closers, func() error { return os.RemoveAll(dir) })
	s := &site{now: when, answered: map[question]answer{}, Rehearsal: rehearsal.Rehearsal{Dir: dir}}
	bin := filepath.Join("..", "..", "..", "bin")
	out, err := exec.Command(filepath.Join(bin, "rehearse"), "-bin="+bin, "-into="+dir, "-config=../../../examples/demo.yml",
		"-rules="+strings.Join(ruleFiles(t), ","), "-until="+s.now.Format(time.RFC3339), "-days=5", "-history=25", "-hosts=8").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run a program that make builds: %w: %s", err, out)
	}
	e, err := engine.Open(engine.Options{Dir: s.Prometheus(), WAL: true, Blocks: 24 * time.Hour})
	if err != nil {
		return nil, err
	}
	closers = append(closers, e.Close)
	web := httptest.NewServer(e.Handler())
	closers = append(closers, func() error { web.Close(); return nil })
	s.url = web.URL
	return s, nil
}

// answer is the data of an answer of Prometheus: matrix and vector alike.
type answer struct {
	Result []struct {
		Metric map[string]string
		Value  [2]any
		Values [][2]any
	}
}

// ask asks for what an API gives.
func (s *site) ask(path string, form url.Values, into any) error {
	response, err := http.Get(s.url + path + "?" + form.Encode())
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var body struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return err
	}
	if body.Status != "success" {
		return fmt.Errorf("%s", body.Error)
	}
	return json.Unmarshal(body.Data, into)
}

func (s *site) instant(expr string, at time.Time) (a answer, err error) {
	return a, s.ask("/api/v1/query", url.Values{"query": {expr}, "time": {stamp(at)}}, &a)
}

func (s *site) ranged(expr string, from, to time.Time, step time.Duration) (a answer, err error) {
	return a, s.ask("/api/v1/query_range", url.Values{
		"query": {expr}, "start": {stamp(from)}, "end": {stamp(to)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', -1, 64)},
	}, &a)
}

func stamp(at time.Time) string { return strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64) }

// numbers are all values of an answer.
func (a answer) numbers() (all []float64) {
	add := func(sample [2]any) {
		if text, ok := sample[1].(string); ok {
			if v, err := strconv.ParseFloat(text, 64); err == nil {
				all = append(all, v)
			}
		}
	}
	for _, series := range a.Result {
		add(series.Value)
		for _, v := range series.Values {
			add(v)
		}
	}
	return all
}
