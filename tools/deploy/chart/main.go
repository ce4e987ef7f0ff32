// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command chart packages the Helm chart of charts/carbon-exporter with the rules, the dashboards
// and the version of this repository in it, so that none of them is kept twice. It must not know
// what they say; the templates of the chart do. `make chart` runs it. Start with assemble.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	root := flag.String("root", ".", "directory of the repository")
	into := flag.String("into", "bin/chart", "directory of the package")
	date := flag.String("date", "1970-01-01T00:00:00Z", "time of the files in the package, as RFC 3339: that of the commit")
	flag.Parse()
	path, err := write(*root, *into, *date)
	if err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
	fmt.Println(path)
}

func write(root, into, date string) (path string, err error) {
	at, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return "", fmt.Errorf("-date: %w", err)
	}
	chart, err := assemble(root)
	if err != nil {
		return "", err
	}
	archive, err := chart.archive(at)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(into, 0o755); err != nil {
		return "", err
	}
	path = filepath.Join(into, name+"-"+chart.version+".tgz")
	return path, os.WriteFile(path, archive, 0o644)
}
