package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// history gives Prometheus the exporter's past, at its own timestamps: as an
// operator does who has just begun to scrape it.
func (p *programs) history(ctx context.Context) error {
	fmt.Fprintln(p.out, "Exporting the history to Prometheus ...")
	text, blocks := filepath.Join(p.data, "history.om"), filepath.Join(p.data, "blocks")
	now := time.Now().UTC()
	for _, step := range [][]string{
		{
			"carbontool", "export", "openmetrics", "--config.file=" + filepath.Join(p.examples, "carbon.yml"), "--storage.path=" + p.store(),
			"--from=" + now.AddDate(0, 0, -p.days).Format(time.RFC3339), "--to=" + now.Format(time.RFC3339), "--output=" + text,
		},
		{"promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "--quiet", text, blocks},
	} {
		cmd := exec.CommandContext(ctx, filepath.Join(p.bin, step[0]), step[1:]...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", cmd, err, out)
		}
	}
	made, err := os.ReadDir(blocks)
	if err != nil {
		return err
	}
	// Prometheus finds new blocks by itself, within a minute.
	for _, block := range made {
		if err := os.Rename(filepath.Join(blocks, block.Name()), filepath.Join(p.data, "prometheus", block.Name())); err != nil {
			return err
		}
	}
	return os.Remove(text)
}
