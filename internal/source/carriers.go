// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// carrier is who has a device: the labels that say it, and those in common with the Infos of shares,
// in order.
type carrier struct {
	usage.Series
	said string
}

func byCarrier(a, b carrier) int {
	return cmp.Or(bySeries(a.Series, b.Series), strings.Compare(a.said, b.said))
}

// whose are the labels of a device's series by which it is attributed. Those of the CPU seconds say
// whose a host is. Where hosts are shared that is nobody, and only a label that was named for it
// says whose a device is.
func (c *Client) whose(d Device) Labels {
	l := c.Query.Labels
	l.Host = cmp.Or(d.Host, l.Host)
	if c.Query.Shares != nil {
		l.Project, l.User = d.Project, d.User
		return l
	}
	l.Project, l.User = cmp.Or(d.Project, l.Project), cmp.Or(d.User, l.User)
	return l
}

// commonOf returns the label of a device's series for one that shares have in common with an Info.
func (c *Client) commonOf(d Device, label string) string {
	switch label {
	case c.Query.Shares.Project:
		return d.Project
	case c.Query.Shares.User:
		return d.User
	}
	return label
}

// namesShares reports whether a device says which share of its host has it.
func (c *Client) namesShares(d Device) bool { return c.Query.Shares != nil && d.Project != "" }

// deviceLabels are the labels that are asked for of a device, each once.
func (c *Client) deviceLabels(d Device) []string {
	all := c.whose(d).list()
	if c.namesShares(d) {
		for _, i := range c.Query.Shares.Info {
			for _, label := range i.On {
				all = append(all, c.commonOf(d, label))
			}
		}
	}
	var once []string
	for _, l := range all {
		if l != "" && !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	return once
}

// carrierOf reads the labels of a series of a device, in the order of deviceLabels.
func (c *Client) carrierOf(d Device, values []string) carrier {
	asked := c.deviceLabels(d)
	of := func(label string) string {
		if i := slices.Index(asked, label); i >= 0 {
			return values[i]
		}
		return ""
	}
	l := c.whose(d)
	who := carrier{Series: rawSeries([]string{of(l.Project), of(l.Machine), of(l.Host), of(l.User)})}
	if !c.namesShares(d) {
		return who
	}
	var said []string
	for _, label := range c.shareLabels() {
		said = append(said, of(c.commonOf(d, label)))
	}
	who.said = strings.Join(said, "\x00")
	return who
}

// shareLabels are those that shares have in common with their Infos, each once.
func (c *Client) shareLabels() []string {
	var once []string
	for _, i := range c.Query.Shares.Info {
		for _, label := range i.On {
			if !slices.Contains(once, label) {
				once = append(once, label)
			}
		}
	}
	return once
}

// askShareNames asks once what other metrics say of shares, for a device that names them.
func (g *gathering) askShareNames(ctx context.Context, d Device) (err error) {
	if g.shares == nil && g.client.namesShares(d) && len(g.client.Query.Shares.Info) > 0 {
		g.shares, err = g.client.askInfo(ctx, g.client.Query.Shares.Info, g.pieces, nil)
	}
	return err
}

// bookedAs returns the series under which what a device used in a piece is booked. Of a host with
// shares it belongs to the share that it names; if it names none though it could, to nobody; and if
// it never names any, to all of them as CPU time does.
func (g *gathering) bookedAs(d Device, who carrier, piece int) usage.Series {
	given := who.Host
	who.Host = g.hosts.label(given, piece)
	if g.client.Query.Shares == nil {
		return named(g.hosts.said(given, piece).over(who.Series))
	}
	project, user := who.Project, who.User
	s := g.hosts.said(given, piece).over(who.Series)
	s.Project, s.User = project, user
	switch {
	case !g.client.namesShares(d):
	case project == "":
		s.Project, s.User = usage.Unattributed, ""
	default:
		said := strings.Split(who.said, "\x00")
		labels := g.client.shareLabels()
		by := g.shares.of(func(label string) string { return said[slices.Index(labels, label)] }, piece)
		s = by.over(s)
	}
	return named(s)
}
