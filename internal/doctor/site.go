package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

var (
	file    = check{Config, "file"}
	spelled = check{Config, "names"}
	budgets = check{Config, "budgets"}
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

// Kept is what a store holds.
type Kept struct {
	Path     string
	Bytes    int64
	Free     int64 // on its disk; negative: not known
	Version  int   // of its schema
	Span     usage.Period
	States   map[usage.State]int
	Interval time.Duration
	Failing  int // intervals that could not be read at the last attempt
}

var (
	storeFile = check{Store, "file"}
	storeDisk = check{Store, "disk"}
	storeData = check{Store, "intervals"}
)

// NoStore is about a store that cannot be read. absent: there is none, which is so before the
// first start.
func NoStore(cause string, absent bool) Finding {
	if absent {
		return storeFile.warn("start carbon_exporter, or set --storage.path to the file that it uses", "%s", cause)
	}
	return storeFile.fail("see carbontool check store; a copy made by carbontool backup can take its place", "%s", cause)
}

// Holds is about what a store holds, and how long its disk is enough.
func Holds(k Kept) []Finding {
	all := []Finding{storeFile.ok("%s: schema version %d, %s", k.Path, k.Version, megabytes(k.Bytes))}
	return append(all, intervals(k), disk(k))
}

func intervals(k Kept) Finding {
	var words []string
	whole := 0
	for _, state := range usage.States() {
		if n := k.States[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, state))
			whole += n
		}
	}
	if whole == 0 {
		return storeData.warn("start carbon_exporter", "there are no intervals yet")
	}
	said := fmt.Sprintf("%s of %s: %s", many(whole, "interval"), model.Duration(k.Interval), strings.Join(words, ", "))
	if !k.Span.From.IsZero() {
		said += fmt.Sprintf("; usage from %s to %s", k.Span.From.UTC().Format(time.RFC3339), k.Span.To.UTC().Format(time.RFC3339))
	}
	switch {
	case k.States[usage.Empty] == whole:
		return storeData.warn("see the findings about prometheus above", "%s: Prometheus answered, and never had usage", said)
	case k.Failing > 0:
		return storeData.warn("see carbontool intervals --state=missing", "%s; reading %d of them failed", said, k.Failing)
	}
	return storeData.ok("%s", said)
}

// year is how long a disk should last.
const year = 365 * 24 * time.Hour

// enoughToTell is the span of usage from which on its growth says something.
const enoughToTell = 24 * time.Hour

func disk(k Kept) Finding {
	const do = "give the disk more space, or set --storage.retention"
	if k.Free < 0 {
		return storeDisk.ok("free space is not known")
	}
	const least = 256 << 20
	span := k.Span.To.Sub(k.Span.From)
	if span < enoughToTell {
		if k.Free < least {
			return storeDisk.warn(do, "%s free", megabytes(k.Free))
		}
		return storeDisk.ok("%s free; too early to say how fast the store grows", megabytes(k.Free))
	}
	grows := int64(float64(k.Bytes) / span.Hours() * year.Hours())
	said := fmt.Sprintf("%s free; the store grows by about %s a year", megabytes(k.Free), megabytes(grows))
	if k.Free < grows || k.Free < least {
		return storeDisk.warn(do, "%s", said)
	}
	return storeDisk.ok("%s", said)
}

func megabytes(n int64) string {
	if n >= 10e9 {
		return fmt.Sprintf("%.0f GB", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
