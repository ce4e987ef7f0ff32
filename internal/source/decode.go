package source

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sink takes a decoded matrix as it streams by: Series, then its points. Values
// of labels are in the order that was asked for, "" where a series lacks one;
// the slice is the decoder's, the strings are not.
type sink interface {
	Series(labels []string) error
	Point(unixSeconds, value float64)
	Histogram() // a point that is no number
}

// maxSeriesBytes bounds one series in an answer, and so the decoder's memory:
// 11 000 points take a third of a megabyte.
const maxSeriesBytes = 4 << 20

// decode reads an answer of query_range and gives each series to s. It holds
// one series at a time. What s was given counts only if decode gives no error:
// an answer that is cut off, has warnings (so is partial) or says error has
// been streamed halfway by then. It accepts no answer that client_golang
// refuses, but for names twice in an object, which nobody can read rightly.
// Format: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
func decode(r io.Reader, labels []string, s sink) error {
	d := newDecoder(r)
	d.labels, d.values, d.last, d.sink = labels, make([]string, len(labels)), make([]string, len(labels)), s
	return malformed("answer of query_range", d.answer())
}

type decoder struct {
	json   *jsontext.Decoder
	meter  *meter
	labels []string
	values []string
	last   []string // values of series before: most come again, and need no new string
	sink   sink

	status, kind, errorText string
	warnings                int
	result                  bool
}

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
		return fmt.Errorf("is a %q, want a matrix", cut(d.kind))
	}
	return nil
}

// whole says whether an answer that was read to its end is all of the truth.
func (d *decoder) whole() error {
	switch {
	case d.warnings > 0:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has warnings, so it may not be whole: " + cut(d.errorText)}
	case d.status != "success":
		return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("status %q: %s", cut(d.status), cut(d.errorText))}
	}
	// Anything behind the answer means that it is not one.
	switch _, err := d.json.ReadToken(); {
	case err == nil:
		return errors.New("goes on after its end")
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("goes on after its end: %w", err)
	}
	return nil
}

// member reads what every answer of the API has beside its data.
func (d *decoder) member(name string) error {
	switch name {
	case "status":
		return d.text(&d.status)
	case "error":
		return d.text(&d.errorText)
	case "warnings":
		return d.texts(func(warning string) {
			d.warnings++
			if d.errorText == "" {
				d.errorText = warning
			}
		})
	case "infos":
		return d.texts(func(string) {}) // remarks on the query, the answer is whole
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
			return fmt.Errorf("is a %q, want a matrix", cut(d.kind))
		}
		d.result = true
		return d.array(d.series)
	}
	return d.json.SkipValue()
}

func (d *decoder) series() error {
	d.meter.since(d.json.InputOffset())
	named := false
	err := d.object(func(name string) error {
		switch name {
		case "metric":
			if err := d.metric(); err != nil {
				return err
			}
			named = true
			return d.sink.Series(d.values)
		case "values":
			if !named {
				return errors.New("has values before their metric")
			}
			raw, err := d.json.ReadValue()
			if err != nil {
				return err
			}
			return points(raw, d.sink)
		case "histograms":
			return d.array(func() error {
				d.sink.Histogram()
				return d.json.SkipValue()
			})
		}
		return fmt.Errorf("has a series with %q, which is not known", cut(name))
	})
	if err == nil && !named {
		return errors.New("has a series without a metric")
	}
	return err
}

func (d *decoder) metric() error {
	clear(d.values)
	return d.object(func(name string) error {
		raw, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		if raw.Kind() != '"' {
			return fmt.Errorf("has %s in label %q, want a string", raw.Kind(), cut(name))
		}
		if i := slices.Index(d.labels, name); i >= 0 {
			if string(raw[1:len(raw)-1]) != d.last[i] { // one with escapes never is
				d.last[i] = unquoted(raw)
			}
			d.values[i] = d.last[i]
		}
		return nil
	})
}
