// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/rules"
)

// generateRules writes the alerting and recording rules for the Prometheus that
// scrapes carbon_exporter.
type generateRules struct {
	site
	outputDir string
	links     rules.Links
}

func (g *generateRules) register(app *kingpin.Application) *kingpin.CmdClause {
	c := group(app, "generate", "Generate files for other programs.").
		Command("rules", "Generate alerting and recording rules for Prometheus.").HelpLong(`
Generates alerts for carbon budgets that are consumed too fast, for old or incomplete
data, and for the exporter itself, and recording rules for dashboards. The rules read
limits, names and the interval from metrics, so they fit every configuration and need
not be generated again when a budget changes. The configuration file is only checked
for errors and for budgets.

Without --output-dir, all groups are written to standard output as one file. With it,
each group gets its own file, ready for rule_files in prometheus.yml. Existing files of
the same name are replaced: keep your changes in files with other names.

Example:

    carbontool generate rules --output-dir=/etc/prometheus/rules
`)
	g.registerConfig(c)
	c.Flag("output-dir", "Directory for the files. Created if it does not exist.").
		PlaceHolder("DIR").StringVar(&g.outputDir)
	c.Flag("runbooks.url", "URL of the directory of runbooks that alerts link to. Default: the runbooks in this repository.").
		PlaceHolder("URL").StringVar(&g.links.Runbooks)
	c.Flag("grafana.url", "URL of the Grafana that has the dashboards, which alerts then link to. Default: no such links.").
		PlaceHolder("URL").StringVar(&g.links.Grafana)
	return c
}

func (g *generateRules) run(_ context.Context, s streams) error {
	for _, given := range []struct{ flag, url string }{{"--runbooks.url", g.links.Runbooks}, {"--grafana.url", g.links.Grafana}} {
		if given.url == "" {
			continue
		}
		if err := rules.CheckURL(given.url); err != nil {
			return wrongUsef("%s %w", given.flag, err)
		}
	}
	c, err := g.config()
	if err != nil {
		return err
	}
	files, err := rules.Files(g.links)
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	if g.outputDir == "" {
		fmt.Fprint(s.out, rules.Joined(files))
	} else if err := g.write(s.out, files); err != nil {
		return err
	}
	g.remark(s.err, c)
	return nil
}

// write replaces each file in one step: Prometheus may read it at any time.
func (g *generateRules) write(out io.Writer, files []rules.File) error {
	if err := os.MkdirAll(g.outputDir, 0o755); err != nil {
		return fmt.Errorf("write rules: %w", err)
	}
	for _, f := range files {
		path := filepath.Join(g.outputDir, f.Name)
		if err := replace(path, f.Text); err != nil {
			return fmt.Errorf("write rules: %w", err)
		}
		fmt.Fprintln(out, path)
	}
	return nil
}

// replace writes a new file next to the old one, then renames it.
func replace(path, text string) error {
	next, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(next.Name()) // gone already if all went well
	_, err = next.WriteString(text)
	if err == nil {
		err = next.Chmod(0o644)
	}
	if closed := next.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(next.Name(), path)
}

// remark warns about alerts that cannot fire.
func (g *generateRules) remark(out io.Writer, c *config.Config) {
	if len(c.Budgets) == 0 {
		fmt.Fprintf(out, "%s has no budgets, so budget alerts cannot fire.\n", g.configFile)
	}
}
