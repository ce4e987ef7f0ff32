// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/api"
	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/store"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// answersOf answers requests of the API from a store, as carbon_exporter does.
func answersOf(t *testing.T, path, configFile string) func(string, url.Values) *httptest.ResponseRecorder {
	t.Helper()
	cfg, err := config.Parse("carbon.yml", nil)
	if configFile != "" {
		cfg, err = config.Load(configFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.OpenToRead(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	apart, err := st.Apart(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { apart.Close(); st.Close() })
	cfg.Timezone = st.Timezone().String()
	grids, err := parts.NewGrids(cfg, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := &api.Server{
		Store: apart, State: func() api.State { return api.State{Config: cfg, Grids: grids} }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}
	handler := server.Handler()
	return func(page string, parameters url.Values) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, api.Prefix+page+"?"+parameters.Encode(), nil))
		return w
	}
}

// parametersOf are flags as parameters.
func parametersOf(args []string) url.Values {
	all := url.Values{}
	for _, arg := range args {
		name, value, given := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		if bare, no := strings.CutPrefix(name, "no-"); no {
			name, value, given = bare, "false", true
		}
		if !given {
			value = "true"
		}
		all.Add(name, value)
	}
	return all
}

// TestTheAPIAnswersAsTheTool, byte by byte.
func TestTheAPIAnswersAsTheTool(t *testing.T) {
	var recs []usage.Record
	for n, i := range intervalsOf(t, "2025-09-29T00:00:00Z", "2025-10-02T00:00:00Z", time.Hour) {
		formula := nobodys
		formula.Project = "=CLF"
		recs = append(recs, recordOf(i, []usage.State{usage.Settled, usage.Provisional, usage.Unpriced}[n%3], aliceMuon, bobMuon, formula))
	}
	path, st := storeOf(t, recs...)
	if _, err := st.Schedule(t.Context(), recs[0].Interval, recs[len(recs)-1].Interval.End().Add(5*time.Hour)); err != nil {
		t.Fatal(err)
	}
	answer := answersOf(t, path, "")
	for _, command := range []string{
		"report --from=2025-09-29 --to=2025-10-02 --format=FORMAT",
		"report --month=2025-09 --scope=site --format=FORMAT",
		"report --month=2025-09 --scope=ada --by=day --format=FORMAT",
		"report --from=2025-09-29 --to=2025-10-02 --scope=user --by=day --top=1 --format=FORMAT",
		"report --from=2025-09-29 --to=2025-10-02 --scope=machine --by=week --equivalents --format=FORMAT",
		"report --from=2025-09-29 --to=2025-10-02 --scope=group --by=month --format=FORMAT",
		"report --from=2025-09-29 --to=2025-10-02 --no-csv-safe --format=FORMAT",
		"report --from=2025-01-01 --to=2025-01-02 --format=FORMAT",
		"explain --ts=2025-09-30T10:30 --project=ISIS --format=FORMAT",
		"explain --ts=2025-09-30T10:30 --project=ISIS --machine=Muon --user=bob --group=Muons --format=FORMAT",
		"explain --ts=2025-01-01 --project=ISIS --format=FORMAT",
		"intervals --format=FORMAT",
		"intervals --from=2025-09-29 --to=2025-09-30 --state=settled --state=missing --format=FORMAT",
	} {
		for _, format := range formatsOf(command) {
			args := strings.Fields(strings.ReplaceAll(command, "FORMAT", format))
			tool := call(append(args, "--storage.path", path)...)
			got := answer(args[0], parametersOf(args[1:]))
			if tool.code != exitDone || got.Code != http.StatusOK || tool.stdout == "" || got.Body.String() != tool.stdout {
				t.Errorf("%s: status %d\n%s\nthe tool: %+v", args, got.Code, got.Body, tool)
			}
		}
	}
	// What is wrong is said in the same words, but for the dashes.
	for _, args := range [][]string{
		{"report", "--from=2025-10-02", "--to=2025-10-01"},
		{"report", "--top=0"},
		{"report", "--factors"},
		{"report", "--scope=all"},
		{"explain", "--ts=2025-09-30", "--project=isis"},
		{"intervals", "--from=tomorrow"},
		{"forecast", "--window=1m"},
		{"forecast", "--until=2025-10-02"},
	} {
		tool := call(append(args, "--storage.path", path)...)
		said := strings.TrimPrefix(strings.SplitN(tool.stderr, "; see carbontool", 2)[0], "carbontool "+args[0]+": ")
		said = strings.NewReplacer("--", "", `"`, `\"`).Replace(said)
		if got := answer(args[0], parametersOf(args[1:])); got.Code < 400 || !strings.Contains(got.Body.String(), `"error":"`+said+`"`) {
			t.Errorf("%s: %d %s, the tool: %s", args, got.Code, got.Body, tool.stderr)
		}
	}
}

func formatsOf(command string) []string {
	switch strings.Fields(command)[0] {
	case "report":
		return []string{"table", "csv", "json"}
	case "intervals":
		return []string{"table", "json"}
	}
	return []string{"text", "json"}
}

func TestTheAPIForecastsAsTheTool(t *testing.T) {
	p := newPlanned(t, "")
	p.fetched(t, time.Minute)
	answer := answersOf(t, p.store, p.config)
	until := "--until=" + usage.SlotAt(time.Now()).Add(6*time.Hour).Format(time.RFC3339)
	for _, args := range [][]string{{}, {"--window=90m"}, {until}, {"--format=text", until}, {"--format=text"}, {"--format=text", "--window=48h"}} {
		flags := args
		if len(args) == 0 || !strings.HasPrefix(args[0], "--format") {
			flags = append([]string{"--format=json"}, args...)
		}
		same := func() bool {
			slot := usage.SlotAt(time.Now())
			tool, got := p.forecast(flags...), answer("forecast", parametersOf(args))
			if !slot.Equal(usage.SlotAt(time.Now())) { // they were asked in two half hours
				return false
			}
			if tool.code != exitDone || got.Code != http.StatusOK || got.Body.String() != tool.stdout {
				t.Errorf("%s: %d %s, the tool: %+v", args, got.Code, got.Body, tool)
			}
			return true
		}
		if !same() {
			same()
		}
	}
	if p.api.Requests() != 0 {
		t.Error("a provider was asked")
	}
}

func TestTheAPIReportsByOtherFactorsAsTheTool(t *testing.T) {
	s := siteOf(t, &prometheus{}, "")
	s.configure(also)
	s.call("backfill", "--from=2025-01-03", "--to=2025-01-05")
	answer := answersOf(t, s.store, s.file)
	for _, format := range []string{"table", "csv", "json"} {
		args := []string{"report", "--from=2025-01-03", "--to=2025-01-05", "--factors", "--by=day", "--format=" + format}
		tool, got := s.call(args...), answer("report", parametersOf(args[1:]))
		if tool.code != exitDone || got.Code != http.StatusOK || got.Body.String() != tool.stdout || !strings.Contains(tool.stdout, "lifecycle") {
			t.Errorf("%s: %d %s\nthe tool: %+v", format, got.Code, got.Body, tool)
		}
	}
}
