package report

import (
	"io"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// column is one of a table for people: what it is called and its cells.
type column struct {
	head  string
	left  bool // words begin at the left, numbers end at the right
	cells []string
}

// unknown is a cell of which nothing is known.
const unknown = "-"

// write lays columns out side by side, as wide as they must be. The first line has
// their heads, if they have any.
func write(out io.Writer, columns []column) error {
	var b strings.Builder
	first := 0
	if columns[0].head != "" {
		first = -1
	}
	for n := first; n < len(columns[0].cells); n++ {
		var line strings.Builder
		for i, c := range columns {
			if i > 0 {
				line.WriteString("  ")
			}
			text := c.head
			if n >= 0 {
				text = c.cells[n]
			}
			blank := strings.Repeat(" ", c.width()-utf8.RuneCountInString(text))
			if c.left {
				line.WriteString(text + blank)
			} else {
				line.WriteString(blank + text)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (c column) width() int {
	width := utf8.RuneCountInString(c.head)
	for _, text := range c.cells {
		width = max(width, utf8.RuneCountInString(text))
	}
	return width
}

// words is a column of names.
func words(head string, rows []Row, of func(Row) string) column {
	c := column{head: head, left: true}
	for _, row := range rows {
		c.cells = append(c.cells, printable(of(row)))
	}
	return c
}

// printable is a name as it can stand in a line: one that holds orders for a
// terminal, or ends the line, is quoted.
func printable(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(name) {
		return strconv.Quote(name)
	}
	return name
}

// numbers is a column of numbers with as many digits behind the point as leave
// four of the largest.
func numbers(head string, rows []Row, of func(Row) *float64) column {
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
func percents(head string, rows []Row, of func(Row) *float64) column {
	return cells(head, rows, of, func(v float64) string { return rounded(100*v, 1) + " %" })
}

func cells(head string, rows []Row, of func(Row) *float64, text func(float64) string) column {
	c := column{head: head}
	for _, row := range rows {
		if v := of(row); v != nil {
			c.cells = append(c.cells, text(*v))
		} else {
			c.cells = append(c.cells, unknown)
		}
	}
	return c
}

// rounded is a number with so many digits behind the point. What is more than
// nothing does not become 0.
func rounded(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	least := math.Pow(10, -float64(digits))
	if v > 0 && v < least/2 {
		return "<" + strconv.FormatFloat(least, 'f', digits, 64)
	}
	return text
}
