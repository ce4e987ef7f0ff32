// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command dashboards writes Grafana dashboards as JSON, from Go. It knows metrics
// by the names of collector/testdata/metrics.prom alone. Start with a file that
// is named after a dashboard; query.go has the PromQL, panel.go, field.go and looks.go the looks.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	into := flag.String("into", ".", "directory of the JSON files")
	zone := flag.String("timezone", "Europe/London", "the exporter's timezone, in which its days, months and years begin")
	flag.Parse()
	if err := write(*into, *zone); err != nil {
		fmt.Fprintln(os.Stderr, "dashboards:", err)
		os.Exit(1)
	}
}

// all makes every dashboard, in the order of their links.
func all(zone string) []frame {
	frames := []frame{overview(), detail(), machine(), budgets(), year(), exporter()}
	for i := range frames {
		frames[i].zone = zone
	}
	return frames
}

func write(dir, zone string) error {
	for _, f := range all(zone) {
		d, err := f.Build()
		if err != nil {
			return fmt.Errorf("%s: %w", f.title, err)
		}
		text, err := encode(d)
		if err != nil {
			return fmt.Errorf("%s: %w", f.title, err)
		}
		if err := os.WriteFile(filepath.Join(dir, *d.Uid+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// encode writes JSON as Grafana exports it, with < and > as they are: queries are
// read by people too.
func encode(d dashboard.Dashboard) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, err
	}
	// The SDK's own MarshalJSON methods escape all the same.
	text := out.Bytes()
	for escaped, plain := range map[string]string{`\u003c`: "<", `\u003e`: ">", `\u0026`: "&"} {
		text = bytes.ReplaceAll(text, []byte(escaped), []byte(plain))
	}
	return text, nil
}
