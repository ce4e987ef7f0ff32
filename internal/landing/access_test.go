// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// element is a start tag, and the tags it is in.
type element struct {
	name    string
	attr    map[string]string
	parents []string
}

// elements reads a page as strictly as XML: each tag has its end.
func elements(t *testing.T, page string) (all []element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	d.AutoClose = []string{"meta"}
	d.Strict = false
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tag := token.(type) {
		case xml.StartElement:
			e := element{name: tag.Name.Local, attr: map[string]string{}, parents: append([]string(nil), open...)}
			for _, a := range tag.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, tag.Name.Local)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != tag.Name.Local {
				t.Fatalf("</%s> ends %v", tag.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Fatalf("not ended: %v", open)
	}
	return all
}

func TestEverybodyCanReadThePage(t *testing.T) {
	for name, k := range pages(t) {
		ids, count := map[string]bool{}, map[string]int{}
		all := elements(t, html(t, k))
		for _, e := range all {
			count[e.name]++
			if id := e.attr["id"]; id != "" {
				if ids[id] {
					t.Errorf("%s: two elements have the id %s", name, id)
				}
				ids[id] = true
			}
		}
		if count["h1"] != 1 || count["main"] != 1 || count["title"] < 1 || count["nav"] != 1 {
			t.Errorf("%s: %v", name, count)
		}
		if count["table"] != count["caption"] {
			t.Errorf("%s: %d tables and %d captions", name, count["table"], count["caption"])
		}
		for _, e := range all {
			switch e.name {
			case "html":
				if e.attr["lang"] == "" {
					t.Errorf("%s: no language", name)
				}
			case "th":
				if e.attr["scope"] == "" {
					t.Errorf("%s: a heading of a table has no scope", name)
				}
			case "svg":
				if e.attr["aria-hidden"] != "true" && e.attr["role"] != "img" {
					t.Errorf("%s: a picture without words: %v", name, e.attr)
				}
			case "section":
				if e.attr["aria-labelledby"] == "" {
					t.Errorf("%s: a section without a heading", name)
				}
			case "a":
				if to, inside := strings.CutPrefix(e.attr["href"], "#"); inside && !ids[to] {
					t.Errorf("%s: a link leads to %s, which is not there", name, to)
				}
			}
			for id := range strings.FieldsSeq(e.attr["aria-labelledby"]) {
				if !ids[id] {
					t.Errorf("%s: %s is named by %s, which is not there", name, e.name, id)
				}
			}
		}
	}
}

// TestColoursHaveContrast computes the contrast as WCAG 2.2 does: 4.5 for text, 3 for what is
// drawn.
func TestColoursHaveContrast(t *testing.T) {
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(pageCSS, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d colour schemes", len(blocks))
	}
	for n, scheme := range []string{"light", "dark"} {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): (#\w+)`).FindAllStringSubmatch(blocks[n][1], -1) {
			colour[m[1]] = m[2]
		}
		for _, c := range []struct {
			of, on string
			least  float64
		}{
			{"ink", "ground", 7},
			{"ink", "raised", 7},
			{"ink", "loud", 7},
			{"quiet", "ground", 4.5},
			{"quiet", "raised", 4.5},
			{"link", "ground", 4.5},
			{"good", "ground", 4.5},
			{"wrong", "ground", 4.5},
			{"best", "ground", 3},
			{"wrong", "track", 3},
			{"best", "track", 3},
			{"warm", "ground", 3},
			{"bar", "ground", 3},
		} {
			if got := contrast(t, colour[c.of], colour[c.on]); got < c.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %g", scheme, c.of, c.on, got, c.least)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = string([]byte{digits[0], digits[0], digits[1], digits[1], digits[2], digits[2]})
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatalf("%q: %v", colour, err)
		}
		v := float64(n) / 255
		if v <= 0.03928 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
