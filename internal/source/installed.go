// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// processorLabels returns the configuration of processors with its labels filled in.
func (c *Client) processorLabels() Processors {
	p := c.Query.Instruments.Processors
	p.Host = cmp.Or(p.Host, c.Query.Labels.Host)
	return p
}

// coreLabel is the label that tells hardware threads apart, of the series of processors, too.
func (c *Client) coreLabel() string { return cmp.Or(c.Query.Labels.CPU, "cpu") }

var installedParts = []string{partPresent, partThreads}

const (
	presentPart, threadsPart = 0, 1
)

// processorsIfAnswered asks for processors, which nobody has to configure. A server that refuses the
// query must not hold up the energy of a site: its machine types then have the default power, and
// that is said. One that is too large is asked again for less, as long as there is less, and one that
// takes too long again later.
func (g *gathering) processorsIfAnswered(ctx context.Context) error {
	err := g.processors(ctx)
	switch {
	case len(g.pieces) == 1 && usage.IsTooLarge(err) && usage.FailureOf(err).Status == http.StatusUnprocessableEntity:
	case !usage.IsPermanent(err) || usage.IsTooLarge(err):
		return err
	}
	for i := range g.all {
		g.all[i].Models = nil
	}
	g.refusal(err, "the query for the processors of the hosts", "machine types without watts of their own have those of the default", "prometheus.processors, or set power.cpu_models: off")
	return nil
}

// processors asks which processors the hosts have. Each counts for its hardware threads and the
// time for which it was there.
func (g *gathering) processors(ctx context.Context) error {
	p := g.client.processorLabels()
	labels := []string{p.Host, p.Model, p.Package}
	a, err := g.ask(ctx, endsOf(g.pieces), installed(p, g.client.coreLabel(), g.pieces[0].Length), labels, installedParts)
	if err != nil {
		return err
	}
	type part struct{ host, model string }
	threads := map[part][]float64{}
	for _, r := range a.order {
		if r.labels[2] == "" || r.parts[threadsPart] == nil {
			continue
		}
		of := part{r.labels[0], r.labels[1]}
		most := threads[of]
		if most == nil {
			most = make([]float64, len(g.pieces))
			threads[of] = most
		}
		for i := range most { // a processor with a thread that is off has as many as the others
			if n := r.at(threadsPart, i); n > most[i] && n <= maxCores {
				most[i] = n
			}
		}
	}
	nobody, nameless := false, []string{}
	for _, r := range a.sort() {
		host, model := r.labels[0], usage.Name(r.labels[1])
		if r.parts[presentPart] == nil {
			continue
		}
		if host == "" {
			nobody = true
			continue
		}
		if model == "" {
			nameless = append(nameless, host)
		}
		for i := range g.pieces {
			weight := r.at(presentPart, i)
			if !(weight > 0) || math.IsInf(weight, 0) {
				continue
			}
			if g.all[i].Models == nil {
				g.all[i].Models = map[string][]usage.ModelShare{}
			}
			share := usage.ModelShare{Model: model, Share: weight}
			if n := threads[part{host, r.labels[1]}]; n != nil {
				share.Threads = int(n[i])
			}
			g.all[i].Models[host] = append(g.all[i].Models[host], share)
		}
	}
	for i := range g.all {
		for _, shares := range g.all[i].Models {
			normalise(shares)
		}
	}
	if nobody {
		g.remark("The query for processors gives series without the label %.60q, which are not counted: name the label that has the host", p.Host)
	}
	if len(nameless) > 0 {
		g.remark("The query for processors gives series without the label %.60q, so that the model of these hosts is not known: %s; name the label that has it", p.Model, some(nameless))
	}
	return nil
}

// normalise makes shares add up to 1.
func normalise(shares []usage.ModelShare) {
	sum := 0.0
	for _, s := range shares {
		sum += s.Share
	}
	for i := range shares {
		shares[i].Share /= sum
	}
	slices.SortFunc(shares, func(a, b usage.ModelShare) int { return strings.Compare(a.Model, b.Model) })
}

const (
	bytesPerGiB = 1 << 30
	// maxBytes of memory is more than any host has.
	maxBytes = 1 << 60
)

var memoryParts = []string{partMost, partLeast, partPoints}

// memory asks how much memory the hosts have, and for how long each was there.
func (g *gathering) memory(ctx context.Context) error {
	m := g.client.Query.Instruments.Memory
	host, window := cmp.Or(m.Host, g.client.Query.Labels.Host), g.pieces[0].Length
	return g.inSteps(func(step time.Duration) error {
		if err := g.affordEachHost(step); err != nil {
			return err
		}
		a, err := g.ask(ctx, endsOf(g.pieces), memoryOf(m, host, window, step), []string{host}, memoryParts)
		if err != nil {
			return err
		}
		moments, nobody := float64(window/step), false
		for _, r := range a.sort() {
			if r.labels[0] == "" {
				nobody = true
				continue
			}
			for i := range g.pieces {
				most, points := r.at(0, i), r.at(2, i)
				if isAbsent(most) || isOdd(most) {
					continue
				}
				if reason := refusedMemory(most, r.at(1, i)); reason != "" {
					g.reject(reason)
					continue
				}
				present := min(max(points/moments, 0), 1) // not NaN, or it is left out
				if !(present > 0) {
					continue
				}
				if g.all[i].Memory == nil {
					g.all[i].Memory = map[string]usage.GiBSeconds{}
				}
				g.all[i].Memory[r.labels[0]] = usage.GiBSeconds(most / bytesPerGiB * present * window.Seconds())
			}
		}
		if nobody {
			g.remark("The query for memory gives series without the label %.60q, which are not counted: name the label that has the host", host)
		}
		return nil
	})
}

// refusedMemory says why a number of bytes is no memory of a host, or nothing.
func refusedMemory(most, least float64) string {
	switch {
	case math.IsNaN(most):
		return rejectNaN
	case math.IsInf(most, 0) || math.IsInf(least, 0):
		return rejectInfinite
	case least < 0:
		return rejectNegative
	case most == 0:
		return rejectZero
	case most > maxBytes:
		return rejectOverCapacity
	}
	return ""
}
