// Package attribution says whose a sample is. It knows the operator's rules for
// groups; it must not know watts or grams. What belongs to nobody stays
// "unattributed", so that every sum still holds. Start with Rules.Shares.
package attribution

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// GroupBy is how a group is found.
type GroupBy string

// The ways to find a group.
const (
	ByProject        GroupBy = "project"         // configured lists; a project in none is its own group
	ByProjectMachine GroupBy = "project_machine" // IDAaaS_Muon
)

// Rules attribute samples. They are not changed once made.
type Rules struct {
	GroupBy GroupBy
	Groups  map[string]string // project -> group
}

// Key says whose a sample of this series is.
func (r Rules) Key(s usage.Series) usage.Key {
	k := usage.Key{Project: s.Project, Machine: s.Machine, User: s.User, Group: s.Project}
	if k.User == "" {
		k.User = usage.Unattributed
	}
	switch group, listed := r.Groups[s.Project]; {
	case r.GroupBy == ByProjectMachine:
		k.Group = s.Project + "_" + s.Machine
	case listed:
		k.Group = group
	}
	return k
}

// Shares adds samples up by key. Sums are exact, so the order of the samples,
// which is the server's, does not show in them.
func (r Rules) Shares(samples []usage.Sample) []usage.Share {
	type sums struct{ busy, idle usage.Sum }
	byKey := map[usage.Key]*sums{}
	var order []usage.Key
	for _, s := range samples {
		k := r.Key(s.Series)
		sum := byKey[k]
		if sum == nil {
			sum = &sums{}
			byKey[k] = sum
			order = append(order, k)
		}
		sum.busy.Add(float64(s.CPU.Busy))
		sum.idle.Add(float64(s.CPU.Idle))
	}
	shares := make([]usage.Share, len(order))
	for i, k := range order {
		shares[i] = usage.Share{Key: k, CPU: usage.BusyIdle[usage.CPUSeconds]{
			Busy: usage.CPUSeconds(byKey[k].busy.Float64()), Idle: usage.CPUSeconds(byKey[k].idle.Float64()),
		}}
	}
	return shares
}
