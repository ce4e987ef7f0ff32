package usage

// ModelShare is how much of the CPU time of a host, or of a machine type, was on one model of
// processor.
type ModelShare struct {
	Model   string  // as the hosts say it; empty: they do not say it
	Threads int     // hardware threads of one processor, as the hosts say it; 0: not known
	Share   float64 // of all CPU time; all shares add up to 1
}
