// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package pictures

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
)

// TestCheck: a repository with one dashboard, drawn, and then changed in the ways that make its
// pictures wrong.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(t *testing.T, root string)
		want   []string
	}{
		{"as it was drawn", func(*testing.T, string) {}, nil},
		{"a panel was changed", func(t *testing.T, root string) {
			write(t, root, "dashboards/grid.json", `{"panels":[{}]}`)
		}, []string{"the pictures of dashboards/grid.json show an older one"}},
		{"the landing page was changed", func(t *testing.T, root string) {
			write(t, root, landing, "<p>new")
		}, []string{"the pictures of " + landing + " show an older one"}},
		{"a new dashboard", func(t *testing.T, root string) {
			write(t, root, "dashboards/new.json", "{}")
		}, []string{
			"the pictures of dashboards/new.json show an older one",
			"dashboards/new.json has no picture docs/img/new-light.png", "dashboards/new.json has no picture docs/img/new-dark.png",
		}},
		{"a dashboard less", func(t *testing.T, root string) {
			write(t, root, "dashboards/other.json", "{}")
			remove(t, root, "dashboards/grid.json")
			write(t, root, "docs/img/other-light.png", "")
			write(t, root, "docs/img/other-dark.png", "")
		}, []string{
			"the pictures of dashboards/other.json show an older one", "grid in docs/img/pictures.json shows nothing that there is",
			"docs/img/grid-dark.png shows nothing that there is", "docs/img/grid-light.png shows nothing that there is",
		}},
		{"a picture less", func(t *testing.T, root string) {
			remove(t, root, "docs/img/grid-dark.png")
		}, []string{"dashboards/grid.json has no picture docs/img/grid-dark.png"}},
		{"no list", func(t *testing.T, root string) {
			remove(t, root, "docs/img/pictures.json")
		}, []string{"the pictures of dashboards/grid.json show an older one", "the pictures of " + landing + " show an older one"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := drawn(t)
			test.change(t, root)
			got, err := Check(root)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q\nwant %q", got, test.want)
			}
		})
	}
}

// TestConfigurations: the exporters of the pictures start.
func TestConfigurations(t *testing.T) {
	for _, name := range []string{"carbon.yml", "first-day.yml"} {
		if _, err := config.Load(name); err != nil {
			t.Error(err)
		}
	}
}

// drawn is a repository with a dashboard and a landing page whose pictures are as they should be.
func drawn(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "dashboards/grid.json", "{}")
	write(t, root, landing, "<p>")
	sources, err := Sources(root)
	if err != nil {
		t.Fatal(err)
	}
	all := Drawn{}
	for name, source := range sources {
		for _, theme := range Themes {
			write(t, root, filepath.Join(Directory, File(name, theme)), "")
		}
		if all[name], err = Hash(filepath.Join(root, source)); err != nil {
			t.Fatal(err)
		}
	}
	if err := all.Write(root); err != nil {
		t.Fatal(err)
	}
	return root
}

func write(t *testing.T, root, name, text string) {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, root, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(root, name)); err != nil {
		t.Fatal(err)
	}
}
