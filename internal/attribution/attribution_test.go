package attribution

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func TestWhoseASampleIs(t *testing.T) {
	lists := map[string]string{"IDAaaS": "ISIS", "TDAaaS": "ISIS"}
	for _, c := range []struct {
		name   string
		rules  Rules
		series usage.Series
		want   usage.Key
	}{
		{
			"a project in a list has that group",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "IDAaaS", Machine: "Muon", Host: "172.16.100.5", User: "a"},
			usage.Key{Project: "IDAaaS", Machine: "Muon", User: "a", Group: "ISIS"},
		},
		{
			"two projects may share one",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "TDAaaS", Machine: "Muon", User: "a"},
			usage.Key{Project: "TDAaaS", Machine: "Muon", User: "a", Group: "ISIS"},
		},
		{
			"a project in none is its own group",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "CDAaaS", Machine: "Artemis", User: "b"},
			usage.Key{Project: "CDAaaS", Machine: "Artemis", User: "b", Group: "CDAaaS"},
		},
		{
			"what names nobody is unattributed",
			Rules{GroupBy: ByProject},
			usage.Series{Project: "CDAaaS", Machine: "Artemis"},
			usage.Key{Project: "CDAaaS", Machine: "Artemis", User: usage.Unattributed, Group: "CDAaaS"},
		},
		{
			"project and machine make the group",
			Rules{GroupBy: ByProjectMachine, Groups: lists},
			usage.Series{Project: "IDAaaS", Machine: "Muon", User: "a"},
			usage.Key{Project: "IDAaaS", Machine: "Muon", User: "a", Group: "IDAaaS_Muon"},
		},
		{
			"a list names its projects exactly",
			Rules{GroupBy: ByProject, Groups: lists},
			usage.Series{Project: "idaaas", Machine: "Muon", User: "a"},
			usage.Key{Project: "idaaas", Machine: "Muon", User: "a", Group: "idaaas"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.rules.Key(c.series); got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestNoSamplesNoShares(t *testing.T) {
	if got := (Rules{}).Shares(nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestSharesKeepTheSum(t *testing.T) {
	for seed := range int64(10) {
		r := rand.New(rand.NewSource(seed))
		samples := randomSamples(r)
		rules := Rules{GroupBy: ByProject, Groups: map[string]string{"p0": "g", "p1": "g"}}
		shares := rules.Shares(samples)
		var busyIn, idleIn, busyOut, idleOut float64
		for _, s := range samples {
			busyIn, idleIn = busyIn+float64(s.CPU.Busy), idleIn+float64(s.CPU.Idle)
		}
		seen := map[usage.Key]bool{}
		for _, s := range shares {
			if seen[s.Key] {
				t.Fatalf("seed %d: %+v comes twice", seed, s.Key)
			}
			seen[s.Key] = true
			busyOut, idleOut = busyOut+float64(s.CPU.Busy), idleOut+float64(s.CPU.Idle)
		}
		if math.Abs(busyIn-busyOut) > 1e-9*busyIn || math.Abs(idleIn-idleOut) > 1e-9*idleIn {
			t.Errorf("seed %d: %v/%v seconds went in, %v/%v came out", seed, busyIn, idleIn, busyOut, idleOut)
		}
	}
}

func TestSharesDoNotDependOnOrder(t *testing.T) {
	compare := func(a, b usage.Share) int { return a.Compare(b.Key) }
	for seed := range int64(20) {
		r := rand.New(rand.NewSource(seed))
		samples := randomSamples(r)
		want := Rules{}.Shares(samples)
		r.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		got := Rules{}.Shares(samples)
		slices.SortFunc(want, compare)
		slices.SortFunc(got, compare)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: another order of samples gives other shares", seed)
		}
	}
}

func randomSamples(r *rand.Rand) []usage.Sample {
	samples := make([]usage.Sample, 300)
	for i := range samples {
		s := &samples[i]
		s.Project, s.Machine, s.Host = fmt.Sprint("p", r.Intn(3)), fmt.Sprint("m", r.Intn(2)), fmt.Sprint("h", i)
		if r.Intn(3) > 0 {
			s.User = fmt.Sprint("u", r.Intn(5))
		}
		s.CPU.Busy, s.CPU.Idle = usage.CPUSeconds(r.Float64()*1800), usage.CPUSeconds(r.ExpFloat64()*1e-5)
	}
	return samples
}
