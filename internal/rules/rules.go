// Package rules holds the alerting and recording rules for a Prometheus that
// scrapes carbon_exporter, as the files *.yml beside it. It must not know a
// configuration: limits, intervals and names reach the rules as metrics, so that
// a changed configuration needs no new rules and one set serves every exporter.
// Start with carbon-budgets.yml.
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

// Runbooks is where the runbooks of this repository are read.
const Runbooks = "https://github.com/carbon-exporter/carbon_exporter/blob/main/docs/runbooks"

// Files are all of them, by name. The runbook_url of an alert is its name and .md
// under the URL runbooks; see CheckRunbooks.
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

// CheckRunbooks is an error for what is no URL, or would not survive YAML and the
// templates of Prometheus as it is.
func CheckRunbooks(runbooks string) error {
	u, err := url.Parse(runbooks)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("must begin with http:// or https:// and name a host, is %q", runbooks)
	}
	odd := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("{}\"'#`\\", r) }
	if strings.ContainsFunc(runbooks, odd) {
		return fmt.Errorf("must be without spaces, quotes, braces, # and letters beyond ASCII, is %q", runbooks)
	}
	return nil
}

// groups is the line before the groups of a file.
const groups = "groups:\n"

// Joined is the groups of all files as the text of one.
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
