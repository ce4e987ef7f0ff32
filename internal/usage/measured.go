package usage

// Measurement is the mean power that was measured in a piece of time: of one host
// or, where a series names none, of all hosts together.
type Measurement struct {
	Host, Machine string // the labels, as they came; empty: the series has none
	Piece         Interval
	Watts         Watts   // of the host, not of a core; PUE is not in it
	Points        float64 // how many values it is the mean of, over all series of the host
}
