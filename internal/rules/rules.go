// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package rules has the alerting and recording rules for a Prometheus that scrapes
// carbon_exporter, in the files *.yml. It must not know a configuration: limits, intervals and
// names reach the rules as metrics, so that a new configuration needs no new rules and one set
// serves every exporter. Start with carbon-budgets.yml.
package rules

import (
	"embed"
	"fmt"
	"net/url"
	"strings"
)

//go:embed *.yml
var embedded embed.FS

// File is one file of rules.
type File struct {
	Name string // carbon-budgets.yml
	Text string // YAML
}

// Runbooks is the URL of this repository's runbooks.
const Runbooks = "https://github.com/carbon-exporter/carbon_exporter/blob/main/docs/runbooks"

// Files returns all files, by name. The runbook_url of an alert is its name with .md under the
// URL runbooks; see CheckRunbooks.
func Files(runbooks string) ([]File, error) {
	entries, err := embedded.ReadDir(".")
	if err != nil {
		return nil, err
	}
	files := make([]File, len(entries))
	for i, e := range entries {
		text, err := embedded.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		files[i] = File{e.Name(), strings.ReplaceAll(string(text), Runbooks+"/", strings.TrimRight(runbooks, "/")+"/")}
	}
	return files, nil
}

// CheckRunbooks refuses anything that is not a URL, or that YAML or the templates of Prometheus
// would change.
func CheckRunbooks(runbooks string) error {
	u, err := url.Parse(runbooks)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must begin with http:// or https:// and name a host, is %q", runbooks)
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("{}\"'#`\\", r) }
	if strings.ContainsFunc(runbooks, odd) {
		return fmt.Errorf("must not contain spaces, quotes, braces, # or non-ASCII characters, is %q", runbooks)
	}
	return nil
}

// groups is the line before the groups in a file.
const groups = "groups:\n"

// Joined returns the groups of all files as the text of one file.
func Joined(files []File) string {
	var one strings.Builder
	for i, f := range files {
		head, body, _ := strings.Cut(f.Text, groups)
		if i == 0 {
			one.WriteString(head + groups)
		}
		one.WriteString(body)
	}
	return one.String()
}
