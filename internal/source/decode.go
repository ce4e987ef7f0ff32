// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sink receives a decoded matrix as a stream: Series, then its points. Label values are in the
// order requested, "" for a label that the series lacks; the slice belongs to the decoder, the
// strings do not. A time that could not be read is NaN.
type sink interface {
	Series(labels []string) error
	Point(unixSeconds, value float64)
	Odd(unixSeconds float64) // a sample whose value is not a number
	Histogram()
}

// restSink is a sink that also wants the labels that were not requested, before each Series.
// The slice belongs to the decoder, the strings do not.
type restSink interface {
	Rest(others []label)
}

// maxSeriesBytes bounds one series in an answer, and so the decoder's memory: 11 000 points
// take a third of a megabyte.
const maxSeriesBytes = 4 << 20

// decode reads an answer of query_range or query and passes each series to s, one at a time. What s has
// received counts only if decode returns no error: an answer that is cut off, has warnings (so
// is partial), reports an error or has no valid number at all has been partly streamed by then.
// Format: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
func decode(r io.Reader, labels []string, s sink) error {
	d := newDecoder(r)
	d.labels, d.values, d.last, d.sink = labels, make([]string, len(labels)), make([]string, len(labels)), s
	d.rest, _ = s.(restSink)
	return malformed("answer of the query", d.answer())
}

type decoder struct {
	json   *jsontext.Decoder
	meter  *meter
	labels []string
	values []string
	last   []string // values of the previous series: most repeat, and need no new string
	sink   sink
	rest   restSink // nil: nobody wants the others
	others []label

	status, kind, errorText string
	warnings                int
	partial                 bool // VictoriaMetrics says so when a storage node is away
	result                  bool
	good, odd               int // samples that are a time and a number, and others
}

// infoPrefix begins a remark on a query. Prometheus before 3.0 sends those among the
// warnings; they do not say that anything is missing.
const infoPrefix = "PromQL info:"

func newDecoder(r io.Reader) *decoder {
	m := &meter{r: r}
	return &decoder{json: jsontext.NewDecoder(m, jsontext.AllowInvalidUTF8(true)), meter: m}
}

func (d *decoder) answer() error {
	if err := d.object(func(name string) error {
		if name != "data" {
			return d.member(name)
		}
		if d.json.PeekKind() == 'n' {
			return d.json.SkipValue()
		}
		return d.object(d.data)
	}); err != nil {
		return err
	}
	if err := d.whole(); err != nil {
		return err
	}
	switch {
	case !d.result:
		return errors.New("has no result")
	case d.kind != "matrix":
		return fmt.Errorf("must be a matrix, but is a %q", d.kind)
	case d.odd > 0 && d.good == 0:
		return fmt.Errorf("has %d samples, none of which is a time and a number", d.odd)
	}
	return nil
}

// whole checks that an answer read to its end is complete and successful.
func (d *decoder) whole() error {
	switch {
	case d.warnings > 0:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has warnings, so it may be incomplete: " + d.errorText}
	case d.partial:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the server says that the answer is incomplete (isPartial)"}
	case d.status != "success":
		return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("status %q: %s", d.status, d.errorText)}
	}
	// An answer with anything after its end is malformed.
	switch _, err := d.json.ReadToken(); {
	case err == nil:
		return errors.New("has data after its end")
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, new(*jsontext.SyntacticError)):
		return errors.New("has data after its end")
	default:
		return err
	}
}

// member reads the members that every answer of the API has beside its data.
func (d *decoder) member(name string) error {
	switch name {
	case "status":
		return d.text(&d.status)
	case "error":
		return d.text(&d.errorText)
	case "warnings":
		return d.texts(func(warning string) {
			if strings.HasPrefix(warning, infoPrefix) {
				return
			}
			d.warnings++
			if d.errorText == "" {
				d.errorText = warning
			}
		})
	case "infos":
		return d.texts(func(string) {}) // remarks on the query; the answer is complete
	case "isPartial":
		d.partial = d.partial || d.json.PeekKind() == 't'
	case "errorType":
		return d.text(new(string))
	}
	return d.json.SkipValue()
}

func (d *decoder) data(name string) error {
	switch name {
	case "resultType":
		return d.text(&d.kind)
	case "result":
		if d.kind != "" && d.kind != "matrix" {
			return fmt.Errorf("must be a matrix, but is a %q", d.kind)
		}
		d.result = true
		if d.json.PeekKind() == 'n' {
			return d.json.SkipValue() // null, which some servers write for an empty list
		}
		return d.array(d.series)
	}
	return d.json.SkipValue()
}
