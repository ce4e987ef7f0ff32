// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// points reads [[1435781430.781,"1"],...], which is known to be valid JSON. It must be a list,
// which may hold anything: an odd sample is rejected alone.
func (d *decoder) points(p *scanner) error {
	begin := p.at
	p.take('[')
	for first := true; p.ok && !p.peek(']'); first = false {
		if !first {
			p.take(',')
		}
		from := *p
		p.take('[')
		at := p.value()
		p.take(',')
		value := p.value()
		p.take(']')
		switch {
		case p.ok:
			d.point(at, value)
		case from.ok: // not a pair
			*p = from
			p.value()
			d.odd++
			d.sink.Odd(math.NaN())
		}
	}
	if !p.ok {
		return fmt.Errorf(`has values that are not [[seconds,"value"],...]: %s`, p.text[begin:])
	}
	p.at++
	return nil
}

func (d *decoder) point(at, value []byte) {
	t, known := decimal(at) // without an exponent, as Prometheus and client_golang write it
	if !known {
		t = math.NaN()
	}
	v, isNumber := number(value)
	if known && isNumber {
		d.good++
	} else {
		d.odd++
	}
	if isNumber {
		d.sink.Point(t, v)
	} else {
		d.sink.Odd(t)
	}
}

// number reads a value as Prometheus writes it: a decimal number in a string, with or without
// an exponent, or NaN, +Inf or -Inf. strconv alone would accept 0x10, 1_000 and infinity, too.
// A number too large for a float64 is infinite.
func number(value []byte) (float64, bool) {
	if len(value) < 2 || value[0] != '"' {
		return 0, false
	}
	text := value[1 : len(value)-1]
	switch string(text) {
	case "NaN":
		return math.NaN(), true
	case "+Inf":
		return math.Inf(1), true
	case "-Inf":
		return math.Inf(-1), true
	}
	if v, ok := decimal(text); ok {
		return v, true
	}
	if !isNumber(text) {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(text), 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// isNumber reports whether a text is a number in JSON's grammar.
func isNumber(text []byte) bool {
	raw := jsontext.Value(text)
	return raw.Kind() == '0' && text[len(text)-1] > ' ' && text[0] > ' ' && raw.IsValid()
}

// pow10 holds the powers of ten that are exact in a float64.
var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// decimal reads digits with a fraction, as all times and most values are written, if the result
// takes two exact numbers and one division, which is then correctly rounded (Clinger 1990, "How
// to read floating point numbers accurately"). It checks and reads in one pass: checking first
// and then calling strconv takes more than twice as long, half the time of a whole answer.
func decimal(b []byte) (float64, bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	n, dot := uint64(0), -1
	for i, c := range b {
		switch {
		case '0' <= c && c <= '9' && n <= 1<<53/10:
			n = 10*n + uint64(c-'0')
		case c == '.' && dot < 0:
			dot = i
		default:
			return 0, false
		}
	}
	places, whole := 0, len(b)
	if dot >= 0 {
		places, whole = len(b)-dot-1, dot
	}
	if whole == 0 || whole > 1 && b[0] == '0' || dot >= 0 && places == 0 || n > 1<<53 || places >= len(pow10) {
		return 0, false
	}
	v := float64(n) / pow10[places]
	if negative {
		v = -v
	}
	return v, true
}

// scanner walks a text that is known to be JSON. ok becomes false when the text is not what was
// expected.
type scanner struct {
	text []byte
	at   int
	ok   bool
}

// peek reports whether c is next, after any white space.
func (p *scanner) peek(c byte) bool {
	for p.at < len(p.text) && p.text[p.at] <= ' ' {
		p.at++
	}
	return p.at < len(p.text) && p.text[p.at] == c
}

func (p *scanner) take(c byte) {
	p.ok = p.ok && p.peek(c)
	p.at++
}

// value returns the next value of any kind; nil if there is none, as in [].
func (p *scanner) value() []byte {
	p.peek(0)
	from, depth := p.at, 0
	if p.at < len(p.text) && p.text[p.at] == '"' {
		p.string()
		return p.text[from:min(p.at, len(p.text))]
	}
	for p.at < len(p.text) {
		switch c := p.text[p.at]; c {
		case '"':
			p.string()
			continue
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth < 0 {
				p.ok = p.ok && p.at > from
				return p.text[from:p.at]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				p.ok = p.ok && p.at > from
				return p.text[from:p.at]
			}
		}
		p.at++
	}
	p.ok = false
	return nil
}

// string moves to the end of a string.
func (p *scanner) string() {
	for p.at++; p.at < len(p.text) && p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			p.at++
		}
	}
	p.at++
}
