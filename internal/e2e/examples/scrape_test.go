// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package examples

import (
	"io/fs"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	promconfig "github.com/prometheus/prometheus/config"
	_ "github.com/prometheus/prometheus/discovery/file" // file_sd_configs
)

// TestWhatScrapesTheExporterKeepsItsLabels: a job without honor_labels renames project, machine,
// user and group as soon as its targets have a label of that name.
func TestWhatScrapesTheExporterKeepsItsLabels(t *testing.T) {
	jobs := 0
	for name, text := range prometheusConfigs(t) {
		c, err := promconfig.Load(text, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, job := range c.ScrapeConfigs {
			if !strings.HasPrefix(job.JobName, "carbon") {
				continue // it scrapes machines
			}
			jobs++
			if !job.HonorLabels {
				t.Errorf("%s: the job %s has no honor_labels: true", name, job.JobName)
			}
		}
	}
	if jobs < 6 {
		t.Errorf("%d jobs scrape the exporter: where are the others?", jobs)
	}
}

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// prometheusConfigs are those of the examples and of the pages of the documentation.
func prometheusConfigs(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"examples", "docs", "README.md"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			switch filepath.Ext(path) {
			case ".yml":
				all[path] = string(read(t, path))
			case ".md":
				for _, m := range yamlBlock.FindAllStringSubmatch(string(read(t, path)), -1) {
					all[path+": "+m[1]] = m[1]
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range all {
		if !strings.HasPrefix(text, "scrape_configs:") && !strings.Contains(text, "\nscrape_configs:") {
			delete(all, name)
		}
	}
	return all
}
