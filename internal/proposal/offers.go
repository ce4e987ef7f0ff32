// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package proposal

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/survey"
)

// Offer is an exporter that can be counted.
type Offer struct {
	Exporter survey.Exporter
	Why      string // this one comes before the next
}

// Words say what there is, for a person.
func (o Offer) Words() string {
	return fmt.Sprintf("%s (%s, %s)", o.Exporter.Profile, shown(o.Exporter.Metric), size(o.Exporter))
}

// size is how many machines and cores there are.
func size(e survey.Exporter) string {
	switch {
	case e.Machines == 0:
		return plural(e.Series, "series")
	case e.Cores == 0:
		return plural(e.Machines, "machine")
	}
	return plural(e.Machines, "machine") + ", " + plural(e.Cores, "core")
}

func plural(n int, what string) string {
	if n == 1 || what == "series" {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Offers lists the exporters that can be counted, one of each profile, the one to propose first.
func Offers(f survey.Facts) []Offer {
	var all []Offer
	for _, e := range f.Exporters {
		if e.Unread != "" {
			continue
		}
		class, why := classOf(e)
		i := slices.IndexFunc(all, func(o Offer) bool { return o.Exporter.Profile == e.Profile })
		switch {
		case i < 0:
			all = append(all, Offer{e, why})
		case e.Machines > all[i].Exporter.Machines && class <= rankOf(all[i]):
			all[i] = Offer{e, why}
		}
	}
	slices.SortStableFunc(all, func(a, b Offer) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(b.Exporter.Machines, a.Exporter.Machines))
	})
	return all
}

func rankOf(o Offer) int { class, _ := classOf(o.Exporter); return class }

// classOf is lower for an exporter that says better whose usage it is.
func classOf(e survey.Exporter) (class int, why string) {
	switch {
	case e.Profile == survey.ProfileRecorded:
		return 0, "recorded for this purpose"
	case !e.Joined && hasProject(e):
		return 1, "its series name the project"
	case e.Profile == survey.ProfileKubernetes:
		return 2, "it says which namespace and workload used the nodes"
	case e.Profile == survey.ProfileSlurm:
		return 2, "it says which account and user ran the jobs"
	case e.Profile == survey.ProfileLibvirt, e.Profile == survey.ProfileProxmox, e.Profile == survey.ProfileLXD:
		return 2, "it sees every guest, whatever runs in it"
	}
	return 3, "it has the CPU time of whole machines"
}

func hasProject(e survey.Exporter) bool {
	all := candidates(e, Project, "", nil)
	return len(all) > 0 && all[0].Likely
}
