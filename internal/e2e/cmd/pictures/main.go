// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Pictures draws the pictures of the documents: every dashboard, and the landing page, in a
// light and a dark theme, of a simulated site at a time that is always the same. `make pictures`
// builds what it needs and runs it. With names, it draws only those:
//
//	pictures carbon-overview landing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/carbon-exporter/carbon_exporter/tools/pictures"
)

type settings struct {
	bin, root, out, data string
	firstDay             bool
	width                int
	names                []string
}

func main() {
	var s settings
	flag.StringVar(&s.bin, "bin", "bin", "directory of the programs")
	flag.StringVar(&s.root, "root", ".", "the repository")
	flag.StringVar(&s.out, "out", "", "directory for the pictures; default: those of the documents, whose list is then written too")
	flag.StringVar(&s.data, "data", "", "directory of the simulated site, which is used again if it is there; default: a new site, removed at the end")
	flag.BoolVar(&s.firstDay, "first-day", false, "draw a site of one machine, two hours after the start; needs -out")
	flag.IntVar(&s.width, "width", 1400, "width of a dashboard, in pixels")
	flag.Parse()
	s.names = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	sources, err := pictures.Sources(s.root)
	if err != nil {
		return err
	}
	for _, name := range s.names {
		if sources[name] == "" {
			return fmt.Errorf("there is no %s, but %q", name, slices.Sorted(maps.Keys(sources)))
		}
	}
	if s.out == "" && (s.firstDay || s.width != 1400) {
		return fmt.Errorf("pictures of another site or width are not those of the documents: say where to put them with -out")
	}
	if err := findTools(); err != nil {
		return err
	}
	if s.data == "" {
		if s.data, err = os.MkdirTemp("", "pictures-"); err != nil {
			return err
		}
		defer os.RemoveAll(s.data)
	}
	site, err := openSite(ctx, s)
	if err != nil {
		return err
	}
	defer site.close()
	return s.draw(ctx, site, sources)
}

// draw draws all pictures that are wanted and removes those that show nothing any more. The list
// says after each pair what it shows, so that an end in the middle leaves it right.
func (s settings) draw(ctx context.Context, site *site, sources map[string]string) error {
	forDocuments := s.out == ""
	if forDocuments {
		s.out = filepath.Join(s.root, pictures.Directory)
	}
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	drawn, err := pictures.Read(s.root)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if len(s.names) > 0 && !slices.Contains(s.names, name) {
			continue
		}
		hash, err := pictures.Hash(filepath.Join(s.root, sources[name]))
		if err != nil {
			return err
		}
		for _, theme := range pictures.Themes {
			size, err := s.picture(ctx, site, name, sources[name], theme)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", name, theme, err)
			}
			fmt.Printf("%-24s %-5s %4d kB\n", name, theme, (size+999)/1000)
		}
		if !forDocuments {
			continue
		}
		drawn[name] = hash
		if err := drawn.Write(s.root); err != nil {
			return err
		}
	}
	if !forDocuments || len(s.names) > 0 {
		return nil
	}
	if err := tidy(s.root, sources, drawn); err != nil {
		return err
	}
	wrong, err := pictures.Check(s.root)
	if err == nil && len(wrong) > 0 { // a file was changed meanwhile
		err = errors.New(strings.Join(wrong, "\n"))
	}
	return err
}

// tidy removes the pictures of what there is no more.
func tidy(root string, sources map[string]string, drawn pictures.Drawn) error {
	maps.DeleteFunc(drawn, func(name, _ string) bool { return sources[name] == "" })
	if err := drawn.Write(root); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(root, pictures.Directory, "*.png"))
	if err != nil {
		return err
	}
	for name := range sources {
		files = slices.DeleteFunc(files, func(file string) bool {
			return slices.ContainsFunc(pictures.Themes, func(theme string) bool { return filepath.Base(file) == pictures.File(name, theme) })
		})
	}
	for _, file := range files {
		fmt.Println("removing", file)
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	return nil
}
