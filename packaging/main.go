// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command packaging writes what a release consists of: archives, Debian and RPM packages, a bill
// of materials of each and their checksums. The same commit gives the same bytes, wherever it is
// built. It knows nothing of carbon and uploads nothing. Start with Release.Make.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "packaging:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flags := flag.NewFlagSet("packaging", flag.ContinueOnError)
	r := Release{}
	flags.StringVar(&r.Root, "root", "..", "the repository")
	flags.StringVar(&r.Into, "into", "../bin/release", "folder to write; what is in it is removed")
	flags.StringVar(&r.Revision, "revision", "unknown", "commit")
	flags.StringVar(&r.Branch, "branch", "unknown", "branch")
	flags.StringVar(&r.User, "user", "carbon-exporter/maintainers", "who builds, as --version says it")
	date := flags.Int64("date", 0, "date of the commit, in Unix seconds")
	platforms := flags.String("platforms", "linux/amd64,linux/arm64,darwin/arm64,windows/amd64", "what to build for")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *date <= 0 {
		return fmt.Errorf("-date: must be the date of the commit in Unix seconds, is %d", *date)
	}
	r.Date = time.Unix(*date, 0).UTC()
	version, err := os.ReadFile(filepath.Join(r.Root, "VERSION"))
	if err != nil {
		return err
	}
	r.Version = strings.TrimSpace(string(version))
	for p := range strings.SplitSeq(*platforms, ",") {
		system, arch, ok := strings.Cut(p, "/")
		if !ok {
			return fmt.Errorf("-platforms: must be such as linux/amd64, is %q", p)
		}
		r.Platforms = append(r.Platforms, Platform{system, arch})
	}
	names, err := r.Make(ctx)
	for _, name := range names {
		fmt.Println(name)
	}
	return err
}
