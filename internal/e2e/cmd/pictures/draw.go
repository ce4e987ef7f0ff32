// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/tools/pictures"
)

// findTools says what to install if something is missing, before a minute is spent on a site.
func findTools() error {
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is missing: install Node 20 or newer with npm, Debian's packages nodejs and npm", name)
		}
	}
	return nil
}

// most is how large a picture may be, in bytes: every reader of a page loads it.
const most = 150_000

// picture draws one and returns its size.
func (s settings) picture(ctx context.Context, site *site, name, source, theme string) (int, error) {
	out := filepath.Join(s.out, pictures.File(name, theme))
	args := []string{filepath.Join(s.root, "tools/pictures/draw.mjs")}
	if name == pictures.Landing {
		args = append(args, site.Landing, out)
	} else {
		args = append(args, filepath.Join(s.root, source), site.url(), out, "--at="+now.Format(time.RFC3339),
			"--width="+strconv.Itoa(s.width), "--scrape-interval="+strconv.Itoa(int(site.Every.Seconds()))+"s")
	}
	cmd := exec.CommandContext(ctx, "node", append(args, "--theme="+theme)...)
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it has a Chromium to end
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if exit := (&exec.ExitError{}); s.firstDay && errors.As(err, &exit) && exit.ExitCode() == 2 {
		err = nil // it was drawn, and said what it lacks: this is what one wants to see
	}
	if err != nil {
		return 0, err
	}
	size, err := shrink(out)
	if err == nil && size > most {
		err = fmt.Errorf("%s has %d kB, and may have %d: show less on it", out, size/1000, most/1000)
	}
	return size, err
}
