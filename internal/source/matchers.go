// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Matchers returns the matchers of a text that stands inside the braces of a selector, each
// written in one way whatever spaces and quotes it has. A text that is not understood is one
// matcher.
func Matchers(text string) []string {
	var all []string
	rest := strings.TrimSpace(text)
	for rest != "" {
		m := matcher.FindStringSubmatch(rest)
		if m == nil {
			return []string{strings.TrimSpace(text)}
		}
		value, known := meaning(m[3])
		name, named := meaning(m[1])
		if !known || !named {
			return []string{strings.TrimSpace(text)}
		}
		all = append(all, is(name, m[2], value))
		rest = strings.TrimSpace(rest[len(m[0]):])
	}
	return all
}

var matcher = regexp.MustCompile("^\\s*([a-zA-Z_][a-zA-Z0-9_]*|" + inQuotes + ")\\s*(=~|!~|!=|=)\\s*(" + inQuotes + ")\\s*(?:,|$)")

const inQuotes = "\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|`[^`]*`"

// meaning returns what a text of PromQL means; a name may be without quotes.
func meaning(text string) (string, bool) {
	switch {
	case !strings.ContainsAny(text[:1], "\"'`"):
		return text, true
	case text[0] == '\'': // Go has such quotes for single letters only
		inside := strings.ReplaceAll(text[1:len(text)-1], `\'`, `'`)
		text = `"` + strings.ReplaceAll(inside, `"`, `\"`) + `"`
	}
	value, err := strconv.Unquote(text)
	return value, err == nil
}

// Divide tells the matchers that several texts have in common from those that are each one's own.
func Divide(texts []string) (common string, own []string) {
	var all [][]string
	for _, text := range texts {
		all = append(all, Matchers(text))
	}
	var shared []string
	for _, m := range all[0] {
		if !slices.ContainsFunc(all, func(other []string) bool { return !slices.Contains(other, m) }) {
			shared = append(shared, m)
		}
	}
	for _, matchers := range all {
		rest := slices.DeleteFunc(slices.Clone(matchers), func(m string) bool { return slices.Contains(shared, m) })
		own = append(own, strings.Join(rest, ","))
	}
	return strings.Join(shared, ","), own
}

// Matching returns a client of other matchers.
func (c *Client) Matching(matchers string) *Client {
	other := &Client{Upstream: c.Upstream, URL: c.URL, Query: c.Query}
	other.get.Store(c.get.Load())
	other.Query.Matchers = matchers
	return other
}

// Selected is how many series of a host are selected at a moment, of one mode, by the project that
// they name.
type Selected map[string]int

// Series is how many there are.
func (s Selected) Series() (n int) {
	for _, of := range s {
		n += of
	}
	return n
}

// Hosts returns the hosts that are selected at a moment, by the name by which Read knows them. It is
// asked in the form that Read would choose.
func (c *Client) Hosts(ctx context.Context, at time.Time) (map[string]Selected, error) {
	q := c.Query
	labels := []string{q.Labels.Host, q.Labels.Project}
	forms := []string{q.busy(sightWindow)}
	if !q.given() {
		sums := q
		sums.withSums = true
		forms = []string{q.selector(q.everyCore(q.oneMode()), nil), sums.selector(sums.everyCore(sums.oneMode()), nil)}
	}
	for _, each := range forms {
		s := &selectedSink{hosts: map[string]Selected{}}
		if err := c.ask(ctx, instantOf(at), fmt.Sprintf("count by (%s) (%s)", listed(labels...), each), labels, s); err != nil {
			return nil, err
		}
		if len(s.hosts) > 0 {
			return s.hosts, nil
		}
	}
	if other := c.byFallback(); other != nil {
		return other.Hosts(ctx, at)
	}
	return nil, nil
}

// selectedSink receives how many series of a host and project there are.
type selectedSink struct {
	hosts         map[string]Selected
	host, project string
}

// Series implements sink.
func (k *selectedSink) Series(labels []string) error {
	if len(k.hosts) >= maxHosts {
		return errTooManySeries()
	}
	k.host, k.project = usage.HostLabel(labels[0]), usage.Name(labels[1])
	return nil
}

// Point implements sink.
func (k *selectedSink) Point(_, v float64) {
	if k.hosts[k.host] == nil {
		k.hosts[k.host] = Selected{}
	}
	k.hosts[k.host][k.project] += int(v)
}

// Odd implements sink.
func (k *selectedSink) Odd(float64) {}

// Histogram implements sink.
func (k *selectedSink) Histogram() {}
