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
	runbooks  string
}

func (g *generateRules) register(app *kingpin.Application) *kingpin.CmdClause {
	c := group(app, "generate", "Generate files for other programs.").
		Command("rules", "Generate Prometheus' rules: budget alerts and others.").HelpLong(`
Alerts on carbon budgets that burn too fast, on data that is old or has gaps, and
on the exporter itself; and recording rules for dashboards. Limits, names and the
interval reach the rules as metrics, so that they are the same for every
configuration and need not be generated again when a budget changes. The
configuration file is only checked for faults and for budgets.

Without --output-dir all groups go to standard output, as one file. With it there
is a file for each group, ready for rule_files of prometheus.yml. Files of the same
name are replaced: keep what you change under another name.

Example:

    carbontool generate rules --output-dir=/etc/prometheus/rules
`)
	g.registerConfig(c)
	c.Flag("output-dir", "Directory to write the files to; made if it is not there.").
		PlaceHolder("DIR").StringVar(&g.outputDir)
	c.Flag("runbooks.url", "Folder of the runbooks that alerts link to; without it that of this repository.").
		PlaceHolder("URL").StringVar(&g.runbooks)
	return c
}

func (g *generateRules) run(_ context.Context, s streams) error {
	if g.runbooks == "" {
		g.runbooks = rules.Runbooks
	}
	if err := rules.CheckRunbooks(g.runbooks); err != nil {
		return wrongUsef("--runbooks.url %w", err)
	}
	c, err := g.config()
	if err != nil {
		return err
	}
	files, err := rules.Files(g.runbooks)
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

// write replaces each file as a whole: Prometheus may read it at any time.
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

// replace writes a file beside the one of that name and then takes its place.
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

// remark says what will be silent.
func (g *generateRules) remark(out io.Writer, c *config.Config) {
	if len(c.Budgets) == 0 {
		fmt.Fprintf(out, "%s has no budgets: their alerts are silent until it has.\n", g.configFile)
	}
}
