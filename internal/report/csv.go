// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/csv"
	"io"
	"reflect"
	"strconv"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// WriteCSV writes the rows under one line of field names. What is not known is an
// empty cell; numbers have all of their digits. Text goes through text, numbers do
// not: see escape.Cell.
func (r *Report) WriteCSV(out io.Writer, text func(string) string) error {
	w := csv.NewWriter(out)
	if err := w.Write(r.fields()); err != nil {
		return err
	}
	for _, row := range r.rows() {
		if err := w.Write(r.cells(row, text)); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// fields are the same names as in JSON.
func (r *Report) fields() []string {
	names := r.fieldsOf(Row{})
	if r.Equivalents {
		for _, e := range Equivalents() {
			names = append(names, "equivalent_"+e.Name)
		}
	}
	return append(names, r.factorFields()...)
}

func (r *Report) cells(row Row, text func(string) string) []string {
	cells := r.cellsOf(row, text)
	for _, v := range row.Equivalents {
		cells = append(cells, cell(reflect.ValueOf(v), text))
	}
	for _, a := range row.Factors {
		cells = append(cells, cell(reflect.ValueOf(a.Emissions), text), cell(reflect.ValueOf(a.Priced), text))
	}
	return cells
}

// fieldsOf are the names of the fields of a row, whatever its kind.
func (r *Report) fieldsOf(row any) (names []string) {
	r.each(row, func(name string, _ reflect.Value) { names = append(names, name) })
	return names
}

func (r *Report) cellsOf(row any, text func(string) string) (cells []string) {
	r.each(row, func(_ string, v reflect.Value) { cells = append(cells, cell(v, text)) })
	return cells
}

// each calls f for the fields of a row that are single cells and were asked for.
func (r *Report) each(row any, f func(name string, v reflect.Value)) {
	v := reflect.ValueOf(row)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch name {
		case "", "equivalents", "factors":
			continue
		case "display_name":
			if r.Names == nil {
				continue
			}
		case "power_source":
			if r.Scope != usage.ScopeMachine {
				continue
			}
		}
		f(name, v.Field(i))
	}
}

func cell(v reflect.Value, text func(string) string) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Int:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return text(v.String())
	}
}
