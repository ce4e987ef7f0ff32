// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package docs

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/tools/pictures"
)

// TestPicturesShowWhatThereIs: each dashboard and the landing page is drawn as it is now.
func TestPicturesShowWhatThereIs(t *testing.T) {
	wrong, err := pictures.Check(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(wrong) > 0 {
		t.Errorf("%s\nrun make pictures", strings.Join(wrong, "\n"))
	}
}

// TestPicturesAreSmall: a reader loads them with the page, and a clone has all that ever were.
func TestPicturesAreSmall(t *testing.T) {
	const most, mostTogether = 150_000, 3_000_000
	files, err := filepath.Glob("img/*.png")
	if err != nil {
		t.Fatal(err)
	}
	var together int64
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := file.Stat()
		if err != nil {
			t.Fatal(err)
		}
		together += info.Size()
		if info.Size() > most {
			t.Errorf("%s has %d bytes, more than %d", path, info.Size(), most)
		}
		if _, err := png.DecodeConfig(file); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		file.Close()
	}
	if together > mostTogether {
		t.Errorf("the pictures have %d bytes together, more than %d", together, mostTogether)
	}
}

// TestPicturesAreShownInBothThemes: a page shows a picture as its reader's screen is.
func TestPicturesAreShownInBothThemes(t *testing.T) {
	sources, err := pictures.Sources(root)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]bool{}
	for _, path := range documents(t) {
		directory, err := filepath.Rel(filepath.Dir(path), filepath.Join(root, pictures.Directory))
		if err != nil {
			t.Fatal(err)
		}
		text := read(t, path)
		both := 0
		for name := range sources {
			light, dark := filepath.ToSlash(filepath.Join(directory, pictures.File(name, "light"))), filepath.ToSlash(filepath.Join(directory, pictures.File(name, "dark")))
			n := strings.Count(text, `<source media="(prefers-color-scheme: dark)" srcset="`+dark+"\">\n  <img src=\""+light+`"`)
			both += n
			shown[name] = shown[name] || n > 0
		}
		if all := strings.Count(text, directory+"/"); all != 2*both {
			t.Errorf("%s names %d pictures of %s, and shows %d in both themes", path, all, directory, both)
		}
	}
	for name := range sources {
		if !shown[name] {
			t.Errorf("no page shows the picture %s", name)
		}
	}
}
