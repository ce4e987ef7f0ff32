// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package scraped

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
)

// parse reads an expression of the part of PromQL that this server knows:
//
//	metric{label="value", ...}         also with !=, =~ and !~
//	expression[window]                 selectors alone
//	expression[window:step]
//	count_over_time(expression[window])
//	timestamp(metric{...})
//	sum by (label, ...) (expression)   also count, max and min
//	label_replace(expression, "label", "value", "of", "re")   the value as it is
//	a - b, a or b, (a)
func parse(query string) (expr, error) {
	p := &parser{query: query, rest: token.FindAllString(query, -1)}
	e, err := p.or()
	if err == nil && len(p.rest) > 0 {
		err = p.unexpected()
	}
	return e, err
}

var token = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|[0-9][0-9a-z]*|[a-zA-Z_][a-zA-Z0-9_:]*|=~|!~|!=|[^\\s]")

type parser struct {
	query string
	rest  []string
}

func (p *parser) peek() string {
	if len(p.rest) == 0 {
		return ""
	}
	return p.rest[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t != "" {
		p.rest = p.rest[1:]
	}
	return t
}

func (p *parser) unexpected() error {
	return fmt.Errorf("parse error: unexpected %q before %q in %q", p.peek(), strings.Join(p.rest, " "), p.query)
}

func (p *parser) accept(tokens ...string) error {
	for _, t := range tokens {
		if p.peek() != t {
			return p.unexpected()
		}
		p.next()
	}
	return nil
}

func (p *parser) or() (expr, error) {
	a, err := p.difference()
	for err == nil && p.peek() == "or" {
		p.next()
		var b expr
		b, err = p.difference()
		a = &or{a, b}
	}
	return a, err
}

func (p *parser) difference() (expr, error) {
	a, err := p.ranged()
	for err == nil && p.peek() == "-" {
		p.next()
		var b expr
		b, err = p.ranged()
		a = &minus{a, b}
	}
	return a, err
}

func (p *parser) ranged() (expr, error) {
	e, err := p.single()
	if err != nil || p.peek() != "[" {
		return e, err
	}
	p.next()
	w := &window{of: e}
	if w.length, err = p.duration(); err != nil {
		return nil, err
	}
	if p.peek() == ":" {
		p.next()
		if w.step, err = p.duration(); err != nil {
			return nil, err
		}
	} else if _, ok := e.(*selector); !ok {
		return nil, p.unexpected()
	}
	return w, p.accept("]")
}

func (p *parser) duration() (int64, error) {
	d, err := model.ParseDuration(p.peek())
	if err != nil || d <= 0 {
		return 0, p.unexpected()
	}
	p.next()
	return int64(d) / 1e6, nil
}

func (p *parser) single() (expr, error) {
	switch word := p.next(); word {
	case "(":
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		return e, p.accept(")")
	case "sum", "count", "max", "min":
		return p.aggregation(word)
	case "count_over_time":
		return p.countOverTime()
	case "timestamp":
		return p.timestamp()
	case "label_replace":
		return p.labelReplace()
	default:
		return p.selector(word)
	}
}

func (p *parser) aggregation(op string) (expr, error) {
	e := &aggregation{op: op}
	if err := p.accept("by", "("); err != nil {
		return nil, err
	}
	for p.peek() != ")" {
		if p.peek() == "" {
			return nil, p.unexpected()
		}
		e.by = append(e.by, p.next())
		if p.peek() == "," {
			p.next()
		}
	}
	if err := p.accept(")", "("); err != nil {
		return nil, err
	}
	var err error
	if e.of, err = p.vector(); err != nil {
		return nil, err
	}
	return e, p.accept(")")
}

// vector is an expression that is no range.
func (p *parser) vector() (expr, error) {
	e, err := p.or()
	if _, ok := e.(*window); err == nil && ok {
		err = p.unexpected()
	}
	return e, err
}

func (p *parser) timestamp() (expr, error) {
	if err := p.accept("("); err != nil {
		return nil, err
	}
	e, err := p.vector()
	if err != nil {
		return nil, err
	}
	of, ok := e.(*selector)
	if !ok {
		return nil, p.unexpected()
	}
	return &timestamp{of}, p.accept(")")
}

func (p *parser) countOverTime() (expr, error) {
	if err := p.accept("("); err != nil {
		return nil, err
	}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	w, ok := e.(*window)
	if !ok {
		return nil, p.unexpected()
	}
	return &countOverTime{w}, p.accept(")")
}

func (p *parser) labelReplace() (expr, error) {
	if err := p.accept("("); err != nil {
		return nil, err
	}
	of, err := p.vector()
	if err != nil {
		return nil, err
	}
	var args [4]string
	for i := range args {
		if err := p.accept(","); err != nil {
			return nil, err
		}
		if args[i], err = p.text(); err != nil {
			return nil, err
		}
	}
	if strings.Contains(args[1], "$") {
		return nil, p.unexpected()
	}
	re, err := regexp.Compile("^(?s:" + args[3] + ")$")
	if err != nil {
		return nil, err
	}
	return &labelled{of, args[0], args[1], args[2], re}, p.accept(")")
}

func (p *parser) text() (string, error) {
	value, err := strconv.Unquote(p.peek())
	if err != nil {
		return "", p.unexpected()
	}
	p.next()
	return value, nil
}

var metricName = regexp.MustCompile("^[a-zA-Z_:][a-zA-Z0-9_:]*$")

func (p *parser) selector(metric string) (expr, error) {
	e := &selector{metric: metric}
	if !metricName.MatchString(metric) {
		return nil, fmt.Errorf("parse error: unexpected %q before %q in %q", metric, strings.Join(p.rest, " "), p.query)
	}
	if p.peek() != "{" {
		return e, nil
	}
	p.next()
	for p.peek() != "}" {
		m := matcher{label: p.next(), op: p.next()}
		if !slices.Contains([]string{"=", "!=", "=~", "!~"}, m.op) {
			return nil, p.unexpected()
		}
		var err error
		if m.value, err = p.text(); err != nil {
			return nil, err
		}
		if strings.HasSuffix(m.op, "~") {
			if m.re, err = regexp.Compile("^(?:" + m.value + ")$"); err != nil {
				return nil, err
			}
		}
		e.matchers = append(e.matchers, m)
		if p.peek() == "," {
			p.next()
		}
	}
	return e, p.accept("}")
}
