package source

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// points reads [[1435781430.781,"1"],...]. That it is JSON has been checked;
// here it must have that shape, too.
func points(raw jsontext.Value, s sink) error {
	p := scanner{text: raw, ok: true}
	p.take('[')
	for first := true; p.ok && !p.peek(']'); first = false {
		if !first {
			p.take(',')
		}
		p.take('[')
		at := p.number()
		p.take(',')
		value := p.string()
		p.take(']')
		if !p.ok {
			break
		}
		t, known := decimal(at) // without exponent, as Prometheus and client_golang have it
		if !known {
			return fmt.Errorf("has the timestamp %s", cut(string(at)))
		}
		v, known := decimal(value)
		if !known {
			// strconv reads NaN and +Inf, which JSON numbers are not. Out of
			// range is ±Inf, and refused as such.
			var err error
			if v, err = strconv.ParseFloat(string(value), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
				return fmt.Errorf("has the value %q", cut(string(value)))
			}
		}
		s.Point(t, v)
	}
	if !p.ok {
		return fmt.Errorf(`has the values %s, want [[seconds,"value"],...]`, cut(string(raw)))
	}
	return nil
}

// scanner walks a JSON text of which it is sure that it is one. ok is false
// once the text was not what was asked for.
type scanner struct {
	text []byte
	at   int
	ok   bool
}

// peek says whether c is next, white space aside.
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

// number is whatever stands before the next comma.
func (p *scanner) number() []byte {
	p.peek(',')
	from := p.at
	for p.at < len(p.text) && p.text[p.at] > ' ' && p.text[p.at] != ',' {
		p.at++
	}
	if !p.ok {
		return nil
	}
	return p.text[from:p.at]
}

// string is the inside of a string. Numbers need no escapes: one that has them
// is cut at the first quote, and is no number.
func (p *scanner) string() []byte {
	p.take('"')
	from := p.at
	for p.at < len(p.text) && p.text[p.at] != '"' {
		p.at++
	}
	to := p.at
	p.take('"')
	if !p.ok {
		return nil
	}
	return p.text[from:to]
}

// pow10 holds the powers of ten that are exact in a float64.
var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// decimal reads digits with a fraction, as all times and most values are
// written. It does so where that takes two exact numbers and one division,
// which then is rounded right (Clinger 1990, "How to read floating point
// numbers accurately"), in half of strconv's time.
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
	places := 0
	if dot >= 0 {
		places = len(b) - dot - 1
	}
	if len(b) == 0 || dot == 0 || dot >= 0 && places == 0 || n > 1<<53 || places >= len(pow10) {
		return 0, false
	}
	v := float64(n) / pow10[places]
	if negative {
		v = -v
	}
	return v, true
}
