package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sink takes a decoded matrix as it streams by: Series, then its points. Values
// of labels are in the order that was asked for, "" where a series lacks one.
type sink interface {
	Series(labels []string) error
	Point(unixSeconds, value float64)
	Histogram() // a point that is no number
}

// maxSeriesBytes bounds one series in an answer, and so the decoder's memory:
// 11 000 points take a third of a megabyte.
const maxSeriesBytes = 16 << 20

// decode reads an answer of query_range and gives each series to s. It holds
// one point at a time. What s was given counts only if decode gives no error:
// an answer that is cut off, has warnings (so is partial) or says error has
// been streamed halfway by then.
// Format: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
func decode(r io.Reader, labels []string, s sink) error {
	g := &meter{r: r}
	d := &decoder{
		json:   jsontext.NewDecoder(g, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		meter:  g,
		labels: labels, values: make([]string, len(labels)), sink: s,
	}
	err := d.answer()
	var failure *usage.Failure
	if err == nil || errors.As(err, &failure) {
		return err
	}
	return &usage.Failure{Reason: usage.ReasonMalformed, Err: fmt.Errorf("answer of query_range: %w", err)}
}

type decoder struct {
	json   *jsontext.Decoder
	meter  *meter
	labels []string
	values []string
	sink   sink

	status, kind, errorText string
	warnings                int
	result                  bool
}

func (d *decoder) answer() error {
	if err := d.object(func(name string) error {
		switch name {
		case "status":
			return d.text(&d.status)
		case "error":
			return d.text(&d.errorText)
		case "data":
			if d.json.PeekKind() == 'n' {
				return d.json.SkipValue()
			}
			return d.object(d.data)
		case "warnings":
			return d.countWarnings()
		}
		return d.json.SkipValue() // infos: remarks on the query, the answer is whole
	}); err != nil {
		return err
	}
	switch {
	case d.warnings > 0:
		return &usage.Failure{Reason: usage.ReasonPartial, Detail: "the answer has warnings, so it may not be whole: " + cut(d.errorText)}
	case d.status != "success":
		return &usage.Failure{Reason: usage.ReasonMalformed, Detail: fmt.Sprintf("status %q: %s", cut(d.status), cut(d.errorText))}
	case !d.result:
		return errors.New("has no result")
	case d.kind != "matrix":
		return fmt.Errorf("is a %q, want a matrix", cut(d.kind))
	}
	// Anything behind the answer means that it is not one.
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("goes on after its end"), err)
	}
	return nil
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
	return d.object(func(name string) error {
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
			return d.array(d.point)
		case "histograms":
			return d.array(func() error {
				d.sink.Histogram()
				return d.json.SkipValue()
			})
		}
		return d.json.SkipValue()
	})
}

func (d *decoder) metric() error {
	clear(d.values)
	return d.object(func(name string) error {
		for i, label := range d.labels {
			if label == name {
				return d.text(&d.values[i])
			}
		}
		return d.json.SkipValue()
	})
}

// point reads [1435781430.781, "1"]. The JSON decoder has checked its grammar;
// strconv reads NaN and +Inf, which JSON numbers are not.
func (d *decoder) point() error {
	raw, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	at, value, ok := bytes.Cut(bytes.Trim(raw, "[] \t\r\n"), []byte{','})
	if !ok {
		return fmt.Errorf("has the point %s", cut(string(raw)))
	}
	value = bytes.TrimSpace(value)
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return fmt.Errorf("has the value %s, want a string", cut(string(value)))
	}
	t, err := strconv.ParseFloat(string(bytes.TrimSpace(at)), 64)
	if err != nil {
		return err
	}
	v, err := strconv.ParseFloat(string(value[1:len(value)-1]), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range is ±Inf, and refused as such
		return err
	}
	d.sink.Point(t, v)
	return nil
}

func (d *decoder) countWarnings() error {
	if d.json.PeekKind() == 'n' {
		return d.json.SkipValue()
	}
	return d.array(func() error {
		d.warnings++
		if d.errorText == "" {
			return d.text(&d.errorText)
		}
		return d.json.SkipValue()
	})
}

// object calls f for each member, whose value f must read.
func (d *decoder) object(f func(name string) error) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	for d.json.PeekKind() != '}' {
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// name reads a member's name. Those of an answer are few and known: the
// compiler makes no copy for the comparison, only for one that is not.
func (d *decoder) name() (string, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return "", err
	}
	plain := raw[1 : len(raw)-1]
	for _, known := range [...]string{"metric", "values", "histograms"} {
		if string(plain) == known {
			return known, nil
		}
	}
	for _, label := range d.labels {
		if string(plain) == label {
			return label, nil
		}
	}
	name, err := jsontext.AppendUnquote(nil, raw)
	return string(name), err
}

// array calls f for each element, which f must read.
func (d *decoder) array(f func() error) error {
	if err := d.expect('['); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := f(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

func (d *decoder) expect(kind jsontext.Kind) error {
	t, err := d.json.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != kind {
		return fmt.Errorf("has %s, want %s", t.Kind(), kind)
	}
	return nil
}

func (d *decoder) text(into *string) error {
	t, err := d.json.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '"' {
		return fmt.Errorf("has %s, want a string", t.Kind())
	}
	*into = t.String()
	return nil
}

// meter refuses a series without end before the JSON decoder has stored it.
type meter struct {
	r          io.Reader
	read, mark int64
}

func (m *meter) since(offset int64) { m.mark = offset }

func (m *meter) Read(p []byte) (int, error) {
	if m.read-m.mark > maxSeriesBytes {
		return 0, &usage.Failure{Reason: usage.ReasonLimit, Detail: fmt.Sprintf("one series takes more than %d bytes", maxSeriesBytes)}
	}
	n, err := m.r.Read(p)
	m.read += int64(n)
	return n, err
}

// cut keeps a message short enough for a log line.
func cut(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
