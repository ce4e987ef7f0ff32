// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/parts"
	"github.com/carbon-exporter/carbon_exporter/internal/calibrate"
	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// FuzzCalibrate: whatever Prometheus answers about measured power, there is a fit of
// finite watts that are not negative, or an error that can be printed.
func FuzzCalibrate(f *testing.F) {
	run := calibrationRun(48)
	for _, host := range []string{"a", "a:9100", "", "\\u001b[31m", "c"} {
		f.Add(powerAnswer(run, host, func(busy float64) float64 { return 10*busy + 2 }))
	}
	f.Add(powerAnswer(run, "a", func(float64) float64 { return 5 }))
	f.Add(powerAnswer(run, "a", func(busy float64) float64 { return math.MaxFloat64 * busy }))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"a\nb\u001b[31m"}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[]}}`))

	var body atomic.Pointer[[]byte]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(*body.Load()) }))
	defer server.Close()
	cfg, err := config.Parse("carbon.yml", fmt.Appendf(nil, "prometheus: {url: %q}\n", server.URL))
	if err != nil {
		f.Fatal(err)
	}
	all, err := parts.Source(cfg.Prometheus, nil)
	if err != nil {
		f.Fatal(err)
	}
	k := &calibrateMachine{machine: "Muon", expr: "watts"}
	client := all.OfMachine(k.machine)
	f.Fuzz(func(t *testing.T, answer []byte) {
		body.Store(&answer)
		pairs := &calibrate.Pairs{Machine: k.machine, Grain: usage.SlotLength}
		measured, rejects, err := client.Measured(t.Context(), run, k.expr)
		if err == nil {
			err = pairs.AddPower(measured)
		}
		if err == nil {
			err = pairs.AddCPU(cpuReadings(run))
		}
		var out bytes.Buffer
		var fit calibrate.Fit
		if err == nil {
			var paired calibrate.Paired
			if paired, fit, err = learn(pairs, rejects); err == nil {
				k.report(&out, fit, paired, pairs.Grain)
				doubts(&out, fit)
			}
		}
		if err != nil {
			end(t.Context(), "calibrate", &out, err)
		} else if b, i := float64(fit.Watts.Busy), float64(fit.Watts.Idle); !(b >= 0 && i >= 0) || math.IsInf(b+i, 0) {
			t.Errorf("learned %v", fit.Watts)
		}
		text, _ := io.ReadAll(&out)
		if strings.ContainsFunc(string(text), func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("prints %q", text)
		}
	})
}

func calibrationRun(n int) (run []usage.Interval) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		run = append(run, usage.Interval{Start: start.Add(time.Duration(i) * usage.SlotLength), Length: usage.SlotLength})
	}
	return run
}

// busyIn is the share of busy time in an interval.
func busyIn(i int) float64 { return 0.1 + 0.8*float64(i%8)/8 }

func cpuReadings(run []usage.Interval) (all []usage.Reading) {
	for i, piece := range run {
		r := usage.Reading{Piece: piece}
		for _, host := range []string{"a", "c"} {
			seconds := piece.Length.Seconds()
			r.Samples = append(r.Samples, usage.Sample{
				Series: usage.Series{Host: host, Machine: "Muon"},
				CPU:    usage.BusyIdle[usage.CPUSeconds]{Busy: usage.CPUSeconds(seconds * busyIn(i)), Idle: usage.CPUSeconds(seconds * (1 - busyIn(i)))},
			})
		}
		all = append(all, r)
	}
	return all
}

// powerAnswer is what a Prometheus says of a host whose power follows its load.
func powerAnswer(run []usage.Interval, host string, watts func(busy float64) float64) []byte {
	var series []string
	for _, part := range []string{"mean", "points", "least"} {
		var points []string
		for i, piece := range run {
			v := watts(busyIn(i))
			if part == "points" {
				v = 30
			}
			points = append(points, fmt.Sprintf(`[%d,"%v"]`, piece.End().Unix(), v))
		}
		series = append(series, fmt.Sprintf(`{"metric":{"instance":"%s","machine_name":"Muon","carbon_exporter_part":"%s"},"values":[%s]}`, host, part, strings.Join(points, ",")))
	}
	return fmt.Appendf(nil, `{"status":"success","data":{"resultType":"matrix","result":[%s]}}`, strings.Join(series, ","))
}
