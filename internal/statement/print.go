// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package statement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Print is a statement to be written. The same statement is written to the same bytes, unless a
// person was forgotten meanwhile: they have their alias then.
type Print struct {
	Document
	Body   []byte
	Hash   string   // empty: a draft
	Labels []string // of the people with a seal, in their order
}

// Of makes a statement that was kept printable.
func Of(st usage.Statement) (Print, error) {
	d, err := Parse(st.Body)
	if err != nil {
		return Print{}, err
	}
	p := Print{Document: d, Body: st.Body, Hash: st.Hash}
	for _, who := range st.People {
		p.Labels = append(p.Labels, who.Label)
	}
	return p, nil
}

// Draft makes a statement printable that was not issued: it has no number and no hash.
func Draft(d Document, people []usage.StatementPerson) (Print, error) {
	d.Number, d.Previous = 0, ""
	st, err := d.Seal(people)
	if err != nil {
		return Print{}, err
	}
	p, err := Of(st)
	p.Hash = ""
	return p, err
}

// IsDraft reports whether the statement was not issued.
func (p Print) IsDraft() bool { return p.Number == 0 }

// labelled is a person with the label to show.
func (p Print) labelled() []Row {
	rows, sealed := make([]Row, 0, len(p.People)), 0
	for _, who := range p.People {
		row := who.Row
		row.Name = who.Label
		if who.Seal != "" && sealed < len(p.Labels) {
			row.Name = p.Labels[sealed]
			sealed++
		}
		rows = append(rows, row)
	}
	return rows
}

// WriteJSON writes an object of three lines: the hash, the people, and the canonical text as it was
// hashed, on a line of its own.
func (p Print) WriteJSON(out io.Writer) error {
	head, err := json.Marshal(struct {
		Hash   string   `json:"sha256"`
		People []string `json:"people"`
	}{p.Hash, append([]string{}, p.Labels...)})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(bytes.Replace(bytes.TrimSuffix(head, []byte("}")), []byte(`,"people"`), []byte(",\n\"people\""), 1))
	b.WriteString(",\n\"statement\":")
	b.Write(p.Body)
	b.WriteString("\n}\n")
	_, err = out.Write(b.Bytes())
	return err
}

// Subject is whom the statement is for, in words.
func (d Document) Subject() string {
	switch d.Scope {
	case usage.ScopeGroup:
		return "group " + d.Member
	case usage.ScopeProject:
		return "project " + d.Member
	}
	return "the whole site"
}

// monthName is a month as people write it: October 2026.
func monthName(month string) string {
	at, err := time.Parse("2006-01", month)
	if err != nil {
		return month
	}
	return at.Format("January 2006")
}

// Notices say aloud what is missing or doubtful, in the order of their weight.
func (d Document) Notices() (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	n := d.Intervals
	if d.Whole == nil {
		say("No usage of %s is stored for this month. That is no data, not zero.", d.Subject())
	}
	if n.Ahead > 0 {
		say("The month is not over: %d of %d intervals are still to come.", n.Ahead, n.All)
	}
	if lacking := n.Missing + n.Unasked; lacking > 0 {
		say("%d of %d intervals have no answer from Prometheus (%d missing, %d never asked for). What was used in them is not known and in no number here.", lacking, n.All, n.Missing, n.Unasked)
	}
	if n.Empty > 0 {
		say("%d of %d intervals were answered without any usage of the site.", n.Empty, n.All)
	}
	if n.Provisional > 0 {
		say("PROVISIONAL: %d of %d intervals may still change. Changes become adjustments in a later statement.", n.Provisional, n.All)
	}
	if n.Unpriced > 0 {
		say("PROVISIONAL: %d of %d intervals have no carbon intensity yet. What comes later becomes an adjustment in a later statement.", n.Unpriced, n.All)
	}
	if w := d.Whole; w != nil {
		if w.Unpriced > 0 {
			say("%s of the energy has no carbon intensity, so its emissions are not known and not in the emissions here.", percent(w.Unpriced))
		}
		if w.Unbounded > 0 {
			say("The error of %s of the energy is not known. The bounds take it as exact.", percent(w.Unbounded))
		}
		if w.Unattributed > 0 {
			say("%s of the energy is of no known person.", percent(w.Unattributed))
		}
		if w.Embodied != nil && w.Hardware < 1 {
			say("Embodied emissions are known of %s of the CPU time.", percent(w.Hardware))
		}
	}
	if bases := d.bases(); len(bases) > 1 {
		say("The emissions add up carbon intensities of more than one kind, which cannot be compared: %s.", strings.Join(bases, ", "))
	}
	return all
}

func (d Document) bases() (all []string) {
	seen := map[string]bool{}
	for _, p := range d.Method.Prices {
		if !seen[p.Basis] {
			all = append(all, p.Basis)
		}
		seen[p.Basis] = true
	}
	return all
}

// reasons are the words for why an interval changed.
var reasons = map[string]string{
	string(usage.BecauseForecast): "another forecast",
	string(usage.BecauseActual):   "a measured value replaced a forecast",
	string(usage.BecauseRevised):  "the provider revised a value",
	string(usage.BecauseProvider): "another source of carbon intensity",
	string(usage.BecauseRestate):  "read again from Prometheus (restated)",
	string(usage.BecauseRecost):   "recalculated with other watts, PUE or carbon intensity",
	Late:                          "read since: usage that came late (backfill), or other owners",
	Priced:                        "a first carbon intensity",
	Unsaid:                        "written again, without a recorded reason",
}

// Reasons that the record of changes does not have.
const (
	Late   = "late"
	Priced = "priced"
	Unsaid = "unsaid"
)

// String is a reason in words.
func (r Reason) String() string {
	words := reasons[r.Why]
	if words == "" {
		words = r.Why
	}
	if r.Intervals == 1 {
		return words + " (1 interval)"
	}
	return fmt.Sprintf("%s (%d intervals)", words, r.Intervals)
}

func because(all []Reason) string {
	var words []string
	for _, r := range all {
		words = append(words, r.String())
	}
	if len(words) == 0 {
		return "no reason is recorded"
	}
	return strings.Join(words, "; ")
}
