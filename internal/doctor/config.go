// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	file    = check{Config, "file"}
	spelled = check{Config, "names"}
	budgets = check{Config, "budgets"}
	labels  = check{Config, "metrics"}
)

// BadConfig is about a configuration that cannot be used; each line is a fault.
func BadConfig(faults string) []Finding {
	var all []Finding
	for line := range strings.Lines(faults) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, file.fail("correct the file; carbontool check config shows the same", "%s", line))
		}
	}
	return all
}

// GoodConfig is about a configuration that can be used.
func GoodConfig(path string, there bool) Finding {
	if !there {
		return file.ok("there is no %s: the defaults apply", path)
	}
	return file.ok("%s is valid, and the files that it names can be read", path)
}

// WebConfig is about --web.config.file; fault "": it is well.
func WebConfig(path, fault string) Finding {
	c := check{Config, "web"}
	if fault != "" {
		return c.fail("correct the file: until then carbon_exporter closes all connections", "%s", fault)
	}
	return c.ok("%s is valid, and the files that it names can be read", path)
}

// Strange is about names in the configuration that no machine has now: in attribution.groups and
// power.machines.
func Strange(projects, machines []string, all []Machine) []Finding {
	hasProject, hasMachine := map[string]bool{}, map[string]bool{}
	for _, s := range all {
		hasProject[s.Project], hasMachine[s.Machine] = true, true
	}
	var findings []Finding
	for _, of := range []struct {
		key, what string
		names     []string
		has       map[string]bool
	}{{"attribution.groups", "project", projects, hasProject}, {"power.machines", "machine type", machines, hasMachine}} {
		strange := slices.DeleteFunc(slices.Clone(of.names), func(name string) bool { return of.has[name] })
		if len(strange) > 0 {
			findings = append(findings, spelled.warn("correct the spelling, which must be that of the label, or leave it if it is yet to come",
				"%s names %s that no machine had in the last day: %s", of.key, of.what+"s", some(strange)))
		}
	}
	return findings
}

// Target is what a budget is for.
type Target struct {
	Budget string
	Scope  usage.Scope
	Name   string
}

// Budgets is about budgets for what was never seen; seen is by scope. People are not named.
func Budgets(all []Target, seen map[usage.Scope][]string) []Finding {
	if len(all) == 0 {
		return nil
	}
	var findings []Finding
	for _, t := range all {
		known, ok := seen[t.Scope]
		if !ok || t.Scope == usage.ScopeAda || slices.Contains(known, t.Name) {
			continue
		}
		what := fmt.Sprintf("%s %s", t.Scope, t.Name)
		if t.Scope == usage.ScopeUser {
			what = "a user"
		}
		findings = append(findings, budgets.warn("correct its target, or leave it if it is yet to come", "budget %s is for %s, which was never seen", t.Budget, what))
	}
	if len(findings) == 0 {
		return []Finding{budgets.ok("%s, all for what was seen", many(len(all), "budget"))}
	}
	return findings
}

// Lacking is about labels that metrics.by leaves out; nothing is said if there are none.
func Lacking(names []string) []Finding {
	if len(names) == 0 {
		return nil
	}
	return []Finding{labels.ok("metrics of usage lack %s, which metrics.by leaves out: panels, queries and alerts by them have nothing to show", strings.Join(names, ", "))}
}
