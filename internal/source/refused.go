// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// forgives reports whether a server will never answer a query, because it is no query to it. That of
// an instrument must not hold up the energy of a whole site: it counts as an instrument that has
// stopped, and that is said. A server that does not answer, or not wholly, is another matter: what
// is asked for again is not lost.
func (g *gathering) forgives(err error) bool {
	f := usage.FailureOf(err)
	return f != nil && f.Reason == usage.ReasonBadRequest && f.Permanent && !f.TooLarge && !g.client.Query.Instruments.Strict
}

// refusal says that a query was refused, what comes of it, and which key to correct.
func (g *gathering) refusal(err error, query, so, key string) {
	said := usage.Cause(err) // not the whole error, which begins with a long query
	if f := usage.FailureOf(err); f != nil && f.Detail != "" {
		said = f.Detail
	}
	g.remark("Prometheus refuses %s (%.200s), so %s: correct %s", query, said, so, key)
}

// goOn says what comes of an instrument whose query was refused; other errors are the caller's.
func (g *gathering) goOn(err error, query, so, key string) error {
	if !g.forgives(err) {
		return err
	}
	g.refusal(err, query, so, key)
	return nil
}

// quoted is a name of the configuration in a sentence.
func quoted(name string) string { return fmt.Sprintf("%.60q", name) }
