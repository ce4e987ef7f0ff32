// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
)

// The formats that are kept. There are more that a client may name, and none that is asked for every
// few seconds.
var (
	openMetrics = expfmt.NewFormat(expfmt.TypeOpenMetrics)
	plainText   = expfmt.NewFormat(expfmt.TypeTextPlain)
	protobuf    = expfmt.NewFormat(expfmt.TypeProtoDelim)
)

// keptAs returns the format that is kept of which an answer in another has the same bytes: names
// here need no escaping, and versions of a format differ in nothing else. It is empty if none is.
func keptAs(format expfmt.Format) expfmt.Format {
	switch format.FormatType() {
	case expfmt.TypeOpenMetrics:
		return openMetrics
	case expfmt.TypeTextPlain:
		return plainText
	case expfmt.TypeProtoDelim:
		return protobuf
	}
	return ""
}

// page is what one snapshot shows, with its renderings so far.
type page struct {
	usage *Usage

	mu    sync.Mutex
	asked map[expfmt.Format]time.Time // when somebody asked last for a format
	kept  map[expfmt.Format]*made
}

// made is a rendering, or why there is none, once somebody has asked for it.
type made struct {
	once sync.Once
	r    *rendering
	err  error
}

func newPage(u *Usage) *page {
	return &page{usage: u, asked: map[expfmt.Format]time.Time{}, kept: map[expfmt.Format]*made{}}
}

// rendering returns what has been rendered in a format, or renders it: once, however many ask.
func (p *page) rendering(format expfmt.Format, render func() (*rendering, error)) (*rendering, error) {
	p.mu.Lock()
	m := p.kept[format]
	if m == nil {
		m = &made{}
		p.kept[format] = m
	}
	p.mu.Unlock()
	m.once.Do(func() { m.r, m.err = render() })
	return m.r, m.err
}

func (p *page) ask(format expfmt.Format, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked[format] = now
}

// wanted returns the formats that were asked for lately, the newest first: if there are none, the
// newest at all, and before the first scrape that of Prometheus.
func (p *page) wanted(now time.Time) []expfmt.Format {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []expfmt.Format
	for f := range p.asked {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b expfmt.Format) int { return p.asked[b].Compare(p.asked[a]) })
	if len(all) == 0 {
		return []expfmt.Format{openMetrics}
	}
	return slices.DeleteFunc(all, func(f expfmt.Format) bool { return f != all[0] && now.Sub(p.asked[f]) > wanted })
}

// inherit goes on from what was asked for before.
func (p *page) inherit(was *page) {
	was.mu.Lock()
	defer was.mu.Unlock()
	maps.Copy(p.asked, was.asked)
}
