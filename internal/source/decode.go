package source

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sink takes a decoded matrix as it streams by: Series, then its points. Values
// of labels are in the order that was asked for, "" where a series lacks one;
// the slice is the decoder's, the strings are not. A time that could not be read
// is NaN.
type sink interface {
	Series(labels []string) error
	Point(unixSeconds, value float64)
	Odd(unixSeconds float64) // a sample whose value is not a number
	Histogram()
}

// maxSeriesBytes bounds one series in an answer, and so the decoder's memory:
// 11 000 points take a third of a megabyte.
const maxSeriesBytes = 4 << 20

// decode reads an answer of query_range and gives each series to s. It holds
// one series at a time. What s was given counts only if decode returns no error:
// an answer that is cut off, has warnings (so is partial) or says error has been
// streamed halfway by then. So has one in which nothing is a number.
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
	last   []string // values of the series before: most come again, and need no new string
	sink   sink

	status, kind, errorText string
	warnings                int
	partial                 bool // VictoriaMetrics says so when a storage node is away
	result                  bool
	good, odd               int // samples with a time and a number, and without
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
		return fmt.Errorf("must be a matrix, is a %q", d.kind)
	case d.odd > 0 && d.good == 0:
		return fmt.Errorf("has %d samples, and none of them is a time and a number", d.odd)
	}
	return nil
}

// whole says whether an answer that was read to its end is complete and successful.
func (d *decoder) whole() error {
	switch {
	case d.warnings > 0:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has warnings, so it may be incomplete: " + d.errorText}
	case d.partial:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the server says that the answer is incomplete (isPartial)"}
	case d.status != "success":
		return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("status %q: %s", d.status, d.errorText)}
	}
	// An answer with something after its end is not an answer.
	switch _, err := d.json.ReadToken(); {
	case err == nil:
		return errors.New("goes on after its end")
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, new(*jsontext.SyntacticError)):
		return errors.New("goes on after its end")
	default:
		return err
	}
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
			if strings.HasPrefix(warning, infoPrefix) {
				return
			}
			d.warnings++
			if d.errorText == "" {
				d.errorText = warning
			}
		})
	case "infos":
		return d.texts(func(string) {}) // remarks on the query, the answer is whole
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
			return fmt.Errorf("must be a matrix, is a %q", d.kind)
		}
		d.result = true
		if d.json.PeekKind() == 'n' {
			return d.json.SkipValue() // null, which some servers write for an empty list
		}
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
			return d.points(raw)
		case "histograms":
			return d.array(func() error {
				d.sink.Histogram()
				return d.json.SkipValue()
			})
		}
		return fmt.Errorf("has a series with an unknown member: %q", name)
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
			return fmt.Errorf("must have a string in every label, has %s in %q", raw.Kind(), name)
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
