// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/clock"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// sourceOutages are those of several sources of carbon intensity, each told of by its name. Only
// the carbon loop uses them.
type sourceOutages struct {
	notices NoticeObserver
	clock   clock.Clock
	log     *slog.Logger

	of    map[string]*sourceOutage    // by provider
	texts map[usage.Topic]sourceTexts // what is said now
}

// sourceTexts are the notices of one topic, by provider.
type sourceTexts map[string]string

// sourceOutage is what can be away of one source.
type sourceOutage struct{ carbon, forecast *outage }

// ofSource returns the outages of a source: the only one is called by what it is for.
func (o *outages) ofSource(set Settings, g Grid) *sourceOutage {
	if len(set.Grid) == 1 && name(g) == name(set.Grid[0]) {
		return &sourceOutage{o.carbon, o.forecast}
	}
	return o.sources.named(g.Provider())
}

func (s *sourceOutages) named(provider string) *sourceOutage {
	if known := s.of[provider]; known != nil {
		return known
	}
	of := func(words outageWords) *outage {
		return &outage{words: words, notices: sourceNotices{s, provider}, clock: s.clock, log: s.log.With("provider", provider)}
	}
	made := &sourceOutage{
		carbon: of(outageWords{
			about: usage.TopicCarbon, begins: "The carbon intensity from " + provider + " cannot be read",
			lasts: "The carbon intensity from " + provider + " still cannot be read", ended: "The carbon intensity from " + provider + " can be read again",
			meanwhile: "the next source that answers stands in; energy is recorded, and what has no price is priced later",
		}),
		forecast: of(outageWords{
			about: usage.TopicForecast, begins: "There is no forecast from " + provider,
			lasts: "There is still no forecast from " + provider, ended: "There is a forecast from " + provider + " again",
			meanwhile: "the next source that has one stands in",
		}),
	}
	if s.of == nil {
		s.of = map[string]*sourceOutage{}
	}
	s.of[provider] = made
	return made
}

// keep ends the outages of sources that are no longer asked.
func (s *sourceOutages) keep(set Settings) {
	for provider, o := range s.of {
		if !slices.ContainsFunc(slices.Concat(set.chains()...), func(g Grid) bool { return g.Provider() == provider }) {
			o.carbon.over()
			o.forecast.over()
			delete(s.of, provider)
		}
	}
}

// sourceNotices joins what is said of several sources into one notice.
type sourceNotices struct {
	all      *sourceOutages
	provider string
}

// Notice implements NoticeObserver.
func (n sourceNotices) Notice(about usage.Topic, text string) {
	if n.all.texts == nil {
		n.all.texts = map[usage.Topic]sourceTexts{}
	}
	if n.all.texts[about] == nil {
		n.all.texts[about] = sourceTexts{}
	}
	n.all.texts[about][n.provider] = text
	if text == "" {
		delete(n.all.texts[about], n.provider)
	}
	var joined []string
	for _, provider := range slices.Sorted(maps.Keys(n.all.texts[about])) {
		joined = append(joined, n.all.texts[about][provider])
	}
	n.all.notices.Notice(about, strings.Join(joined, " "))
}

// heard tells of outages, and of their ends. A source may have a past and no forecast.
func (o *sourceOutage) heard(a answers, at string, all *outages) {
	switch {
	case a.noPast != nil:
		all.told(joined(a.noPast, a.noForecast), o.carbon, at)
	case isAway(a.noForecast), waits(a.noForecast), timedOut(a.noForecast):
		all.told(a.noForecast, o.carbon, at)
	case a.noForecast != nil:
		all.told(a.noForecast, o.forecast, at)
	}
	if a.past && a.noPast == nil {
		o.carbon.over()
	}
	if a.forecast {
		o.forecast.over()
	}
}
