package budget

import "github.com/carbon-exporter/carbon_exporter/internal/usage"

// FastBurn is the burn ratio above which a budget's fast alert fires.
const FastBurn = 3

// Reachable says whether the fast alert can fire at all in a period: whether a
// target that draws full, with every core at work (cores x busy watts x PUE),
// on the dirtiest electricity there is, burns the limit faster than FastBurn.
// A limit for which it cannot was most likely meant otherwise, a zero too many.
func (b Budget) Reachable(p usage.Period, full usage.Watts, dirtiest usage.GramsPerKWh) bool {
	seconds := usage.CPUSeconds(length(p).Seconds()) // full is of all cores together, as if of one
	most := Amount{Energy: full.For(seconds)}
	most.Emissions = most.Energy.At(dirtiest)
	amount, _ := most.in(b.Unit)
	return amount > FastBurn*b.Limit
}
