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
	"regexp"
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

// Links are where alerts lead to, as URLs that CheckURL accepts.
type Links struct {
	Runbooks string // the runbook_url of an alert is its name with .md under this; empty: Runbooks
	Grafana  string // its dashboard_url is a dashboard there; empty: alerts have none
}

// grafana is the Grafana of the embedded files, which stands for that of a site.
const grafana = "https://grafana.example.org"

var dashboardURL = regexp.MustCompile(`(?m)^ +dashboard_url: .*\n`)

// Files returns all files, by name.
func Files(links Links) ([]File, error) {
	if links.Runbooks == "" {
		links.Runbooks = Runbooks
	}
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
		files[i] = File{e.Name(), links.in(string(text))}
	}
	return files, nil
}

// in is a file with these links.
func (l Links) in(text string) string {
	text = strings.ReplaceAll(text, Runbooks+"/", strings.TrimRight(l.Runbooks, "/")+"/")
	if l.Grafana == "" {
		return dashboardURL.ReplaceAllString(text, "")
	}
	return strings.ReplaceAll(text, grafana+"/", strings.TrimRight(l.Grafana, "/")+"/")
}

// CheckURL refuses anything that is not a URL, or that YAML or the templates of Prometheus would
// change.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must begin with http:// or https:// and name a host, is %q", text)
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("{}\"'#`\\", r) }
	if strings.ContainsFunc(text, odd) {
		return fmt.Errorf("must not contain spaces, quotes, braces, # or non-ASCII characters, is %q", text)
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
