// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/escape"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	rated     = check{Power, "rating"}
	processor = check{Power, "processor"}
)

// Processors is what hosts say of their processors, by machine type.
type Processors struct {
	Unrated usage.Unrated                  // why hosts say none
	Types   map[string][]usage.ModelShare  // a share without a model is of hosts that say none
	Known   func(usage.ModelShare) Knowing // what the table of processors says
}

// Knowing is what the table of processors says of one.
type Knowing struct {
	Known bool
	Weak  bool // by a name that a hypervisor gives, or as other families draw
}

const (
	// toSet is what an operator can do without a processor.
	toSet = "set their watts in power.machines, or measure their hosts with power.measured"
	// passOn makes a hypervisor say what it has.
	passOn = "let the hypervisor pass its processor on: the CPU model host-passthrough or host-model of libvirt, [libvirt] cpu_mode of OpenStack, the type host of Proxmox; or " + toSet
)

// RemarkedProcessors passes on what is doubtful about the series of processors.
func RemarkedProcessors(remarks []string) []Finding { return remarked(processor, remarks) }

// Ratings is about where the watts of machine types come from.
func Ratings(ratings []usage.Rating, p Processors) []Finding {
	if len(ratings) == 0 {
		return []Finding{rated.ok("there is no usage to rate in the newest interval: see the area prometheus")}
	}
	r := usage.RatedOf(ratings, p.Types)
	all := []Finding{rated.ok("%s: %s", many(r.Types, "machine type"), r.Sources())}
	if machines := r.Silent(); len(machines) > 0 {
		all = append(all, silent(machines, p))
	}
	all = append(all, unheard(r)...)
	return append(all, vague(ratings, p)...)
}

// silent is about machine types whose hosts name no processor.
func silent(machines []string, p Processors) Finding {
	return rated.warn(p.Unrated.Do, "%s the default watts, which may be wrong by a factor of two or three, because %s: %s", haveMany(machines), p.Unrated.Why, some(shown(machines)))
}

// unheard is about processors that nobody knows: those that hypervisors make up, and others.
func unheard(r usage.Rated) (all []Finding) {
	made, others := map[string][]string{}, map[string][]string{} // machine types by model
	for _, g := range r.Guessed {
		for _, m := range g.Models {
			of := others
			if isMadeUp(m) {
				of = made
			}
			of[m] = append(of[m], g.Machine)
		}
	}
	for _, of := range []struct {
		types map[string][]string
		why   string
		do    string
	}{
		{made, "their hosts name a processor that the hypervisor has made up", passOn},
		{others, "the table of processors does not know what their hosts name", toSet + "; docs/accuracy.md lists the families that it knows"},
	} {
		var models, machines []string
		for model, with := range of.types {
			models, machines = append(models, model), append(machines, with...)
		}
		if len(models) > 0 {
			slices.Sort(machines)
			machines = slices.Compact(machines)
			all = append(all, rated.warn(of.do, "%s the default watts, because %s (%s): %s", haveMany(machines), of.why, some(shown(models)), some(shown(machines))))
		}
	}
	return all
}

// isMadeUp reports whether a name is one that a hypervisor gives to a processor of no family.
func isMadeUp(model string) bool {
	model = strings.ToLower(model)
	return strings.Contains(model, "qemu") || strings.Contains(model, "kvm") || strings.Contains(model, "virtual cpu")
}

// vague is about machine types that are rated by a processor of which less is known than could
// be: a name that a hypervisor gives, and hosts that say nothing.
func vague(ratings []usage.Rating, p Processors) (all []Finding) {
	var weak, names, partly []string
	for _, r := range ratings {
		if r.Source != usage.RatedProcessor {
			continue
		}
		isWeak, lacks := false, 0.0
		for _, m := range p.Types[r.Machine] {
			switch k := p.Known(m); {
			case m.Model == "" || !k.Known:
				lacks += m.Share
			case k.Weak:
				isWeak, names = true, append(names, m.Model)
			}
		}
		if isWeak {
			weak = append(weak, r.Machine)
		}
		if lacks > 0.01 {
			partly = append(partly, fmt.Sprintf("%s (%.0f %%)", escape.Name(r.Machine), max(100*lacks, 1)))
		}
	}
	if len(weak) > 0 {
		slices.Sort(names)
		all = append(all, processor.ok("%s rated by a name that says only the oldest family that the machine may be of (%s), so its bounds are wide: %s",
			areMany(weak), some(shown(slices.Compact(names))), some(shown(weak))))
	}
	if len(partly) > 0 {
		all = append(all, processor.ok("%s rated by the processors that are known, which have only a part of the CPU time; in brackets is the rest: %s", areMany(partly), some(partly)))
	}
	return all
}

func haveMany(machines []string) string {
	if len(machines) == 1 {
		return "1 machine type has"
	}
	return fmt.Sprintf("%d machine types have", len(machines))
}

func areMany(machines []string) string {
	if len(machines) == 1 {
		return "1 machine type is"
	}
	return fmt.Sprintf("%d machine types are", len(machines))
}

// shown are names as they may be shown.
func shown(names []string) []string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = escape.Name(name)
	}
	return all
}
