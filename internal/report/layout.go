// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"strconv"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/table"
)

// unknown is a cell for an unknown value.
const unknown = "-"

// words is a column of names.
func words(head string, rows []Row, of func(Row) string) table.Column {
	c := table.Words(head)
	for _, row := range rows {
		c.Cells = append(c.Cells, escape.Name(of(row)))
	}
	return c
}

// numbers is a column of numbers with enough decimals to show four digits of the
// largest.
func numbers[T any](head string, rows []T, of func(T) *float64) table.Column {
	largest := 0.0
	for _, row := range rows {
		if v := of(row); v != nil {
			largest = max(largest, math.Abs(*v))
		}
	}
	digits := 0
	if largest > 0 && largest < 1000 {
		digits = min(6, max(0, 3-int(math.Floor(math.Log10(largest)))))
	}
	return cells(head, rows, of, func(v float64) string { return rounded(v, digits) })
}

// percents is a column of shares.
func percents(head string, rows []Row, of func(Row) *float64) table.Column {
	return cells(head, rows, of, func(v float64) string { return rounded(100*v, 1) + " %" })
}

func cells[T any](head string, rows []T, of func(T) *float64, text func(float64) string) table.Column {
	c := table.Numbers(head)
	for _, row := range rows {
		if v := of(row); v != nil {
			c.Cells = append(c.Cells, text(*v))
		} else {
			c.Cells = append(c.Cells, unknown)
		}
	}
	return c
}

// rounded is a number with a fixed number of decimals. A positive number never becomes
// 0.
func rounded(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if shown, err := strconv.ParseFloat(text, 64); err == nil && shown == 0 {
		text = strconv.FormatFloat(0, 'f', digits, 64) // not -0
	}
	least := math.Pow(10, -float64(digits))
	if v > 0 && v < least/2 {
		return "<" + strconv.FormatFloat(least, 'f', digits, 64)
	}
	return text
}
