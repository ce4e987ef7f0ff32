// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package landing is the page at /: what was found, what it uses and whether all is well. It knows
// how to say that to a person, in HTML; it must not know where anything comes from, and asks
// nobody. Start with Known, which becomes a page in Write.
package landing

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the template and its style
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Known is what the page may say. A part that is nil or empty is not known, which is not 0.
type Known struct {
	Now       time.Time
	Zone      *time.Location // of clock times and days
	Version   string
	StateOnly bool // leave all usage out
	Numbers   *Numbers
	Grid      Grid
	Budgets   []Budget
	Notices   []Notice
	Parts     []Part
	Links     []Link
	Labels    LabelNames
	Unrated   usage.Unrated
	Directory bool          // whether there is one, so that users need no label
	Late      time.Duration // usage older than this is not of now
}

// LabelNames are the names of the labels that say whose a series is.
type LabelNames struct{ Project, Machine, Host, User string }

// Part is something the exporter depends on, its purpose and its state.
type Part struct {
	Name, For, State string
	About            usage.Topic // of notices about it
	Meanwhile        string      // what goes on while it is bad
	Asked            bool        // of an upstream: whether it was
	Bad              bool
	Within           string // the name of the part that it is one of several ways to: while that is well, nothing is lost
}

// Link is another page.
type Link struct{ Address, Text string }

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Parse(pageHTML))

// Write answers a request with the page.
func Write(w http.ResponseWriter, k Known) {
	text, err := render(k)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h.Set("Content-Security-Policy", policy())
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.Write(text) //nolint:errcheck // the client has gone
}

// policy allows the page's own style and nothing else: no script, no image, no frame.
func policy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func render(k Known) ([]byte, error) {
	var text bytes.Buffer
	err := page.Execute(&text, k.view())
	return text.Bytes(), err
}

// view is the page in words, in the order of the template.
type view struct {
	Style     template.CSS
	Version   string
	Links     []Link
	Status    status
	Loud      *loud
	Tiles     []tile
	Found     *foundView
	Power     string
	Attention []item
	Chart     *chart
	NoChart   string
	Budgets   []budgetView
	Tops      []topView
	Parts     []Part
	Credits   []Credit
	Zone      string
	At        string
	StateOnly bool
}

func (k Known) view() view {
	c := calendar{k.Now, k.Zone}
	v := view{
		Style: template.CSS(pageCSS), Version: k.Version, Links: k.Links, Parts: k.Parts, StateOnly: k.StateOnly,
		Loud: k.loud(), Credits: k.Grid.Credits, Zone: k.Zone.String(), At: c.moment(k.Now),
	}
	v.Attention = k.attention(v.Loud, c)
	v.Status = statusOf(v.Loud, v.Attention, k.StateOnly)
	if k.StateOnly {
		return v
	}
	v.Tiles, v.Found = k.tiles(c), k.found()
	if k.Numbers != nil {
		v.Power = k.Numbers.Power.words()
	}
	v.Chart, v.NoChart = k.Grid.chart(c)
	v.Budgets = budgetViews(k.Budgets, c)
	v.Tops = k.Numbers.tops()
	return v
}
