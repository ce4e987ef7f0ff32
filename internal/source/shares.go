package source

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// Shares are counters of what used the CPU time of hosts: the containers of a node, the jobs of a
// cluster. The hosts' own counters say how much there was.
type Shares struct {
	Metric     string // of busy time
	Matchers   string
	Unit       float64 // seconds in the unit of the counters; 0: 1
	Project    string
	User       string
	Hosts      []string // labels any of which may name the host
	Each       []string // labels that tell the counters of one share apart; empty: what is there twice counts twice
	CoresQuery string   // cores reserved for each share; empty: none
	Info       []Info
}

// bornWithin is how long before a window a counter may have been scraped last that is not new in it.
const bornWithin = 2 * time.Hour

// lately is how long before a window a counter may have been scraped last and grow in no other: a
// little more than the longest usual time between two scrapes.
const lately = 11 * time.Minute

// reservedStep is how often reserved cores are counted.
const reservedStep = time.Minute

// labels are those of a share: project, user, then hosts, then what Infos have in common with it.
func (s *Shares) labels() []string {
	all := append([]string{s.Project, s.User}, s.Hosts...)
	for _, i := range s.Info {
		all = append(all, i.On...)
	}
	var once []string
	for _, l := range all {
		if !slices.Contains(once, l) {
			once = append(once, l)
		}
	}
	return once
}

// growth selects the CPU time of each share in the window before each evaluation, in the unit of
// the counters, since it was seen at most lately before the window. A counter that has ended has
// its last value; one that fell began again. One that is new began at 0, if its host was seen
// lately; else nobody knows when, and it counts from its first sample. So does one that was not
// seen lately: what it did meanwhile belongs to other windows. Copies of a counter are one before
// they are compared with what was before: it may have got another label, or a second server.
func (s *Shares) growth(window, lately time.Duration, matchers string) string {
	of, within := selectorOf(s.Metric, s.Matchers, matchers), promDuration(window)
	one := func(pick, format string, args ...any) string {
		each := fmt.Sprintf(format, args...)
		if len(s.Each) == 0 {
			return each
		}
		return fmt.Sprintf("%s by (%s) (%s)", pick, listed(append(s.labels(), s.Each...)...), each)
	}
	last := one("max", "last_over_time(%s[%s])", of, within)
	recent := one("max", "last_over_time(%s[%s] offset %s)", of, promDuration(lately), within)
	before := one("max", "last_over_time(%s[%s] offset %s)", of, promDuration(bornWithin), within)
	first := one("min", "min_over_time(%s[%s])", of, within)
	return fmt.Sprintf("sum by (%s) ((%s - %s >= 0) or ((%s unless (%s <= %s)) and on (%s) %s) or (%s - %s))",
		listed(s.labels()...), last, recent, last, before, last, listed(s.Hosts...), recent, last, first)
}

// reserved selects the core seconds that were reserved for each share in the window before each
// evaluation.
func (s *Shares) reserved(window time.Duration) string {
	step := min(window, reservedStep)
	return multiplied(fmt.Sprintf("sum by (%s) (sum_over_time((%s\n)[%s:%s]))",
		listed(s.labels()...), inWindow(s.CoresQuery, window), promDuration(window), promDuration(step)), step.Seconds())
}

// reservedRate selects the cores that were reserved on average while any were.
func (s *Shares) reservedRate(window time.Duration) string {
	return fmt.Sprintf("sum by (%s) (avg_over_time((%s\n)[%s:%s]))",
		listed(s.labels()...), inWindow(s.CoresQuery, window), promDuration(window), promDuration(min(window, reservedStep)))
}

// queries are all that is asked for about shares.
func (s *Shares) queries(window time.Duration) []string {
	all := []string{s.growth(window, lately, "")}
	if s.CoresQuery != "" {
		all = append(all, s.reserved(window))
	}
	for _, i := range s.Info {
		all = append(all, i.query(i.On, window))
	}
	return all
}

// unit is how many seconds the counters count at once.
func (s *Shares) unit() float64 {
	if s.Unit == 0 {
		return 1
	}
	return s.Unit
}

// share is what is known of one share on one host.
type share struct {
	host          string
	project, user string
	said          map[string]string // its labels in common with Infos
	busy          []float64         // CPU seconds by piece; NaN: not known
	after         []float64         // since it was seen before, however long ago; known beside holes only
	reserved      []float64         // core seconds by piece
	rate          []float64         // cores reserved on average while any were, by piece; known beside holes only
}

// allShares are the shares of a row of pieces.
type allShares struct {
	query   *Shares
	hosts   *hostNames
	byHost  map[string][]*share
	byKey   map[[3]string]*share
	strange map[string]bool  // names of hosts that are not known
	several map[string]bool  // names that more than one host has
	over    map[string]bool  // hosts of which shares say that they used much more than there was
	row     []usage.Interval // the pieces to divide
	pieces  int              // that are known: those, and some after them
	rejects usage.Rejects
}

// newShares has no shares yet.
func newShares(q *Shares, hosts *hostNames, pieces []usage.Interval, rejects usage.Rejects) *allShares {
	return &allShares{
		query: q, hosts: hosts, byHost: map[string][]*share{}, byKey: map[[3]string]*share{},
		strange: map[string]bool{}, several: map[string]bool{}, over: map[string]bool{}, row: pieces, pieces: len(pieces), rejects: rejects,
	}
}

// shared has no shares yet of the hosts of a table.
func (t *edges) shared(readings []usage.Reading) *allShares {
	from, _ := t.asked()
	return newShares(t.query.Shares, callHosts(t.names, t.info, t.beside, len(readings)), t.pieces[from:from+len(readings)], t.rejects)
}

// shareOut divides what hosts used among the shares of each. What no share used stays the hosts'
// own, and is nobody's. holes are times in which hosts were not scraped.
func (c *Client) shareOut(ctx context.Context, all *allShares, holes map[string][]span, readings []usage.Reading) error {
	all.hosts.booked(readings)
	pieces := piecesTo(all.row, holes)
	all.pieces = len(pieces)
	if err := c.askShares(ctx, all, pieces, len(holes) > 0); err != nil {
		return err
	}
	for host, of := range holes {
		all.bridge(host, of, pieces)
	}
	info, err := c.askInfo(ctx, c.Query.Shares.Info, pieces, nil)
	if err != nil {
		return err
	}
	for i := range readings {
		readings[i].Samples = all.divide(readings[i].Samples, i, info)
		readings[i].Final = false // what comes late may be a share, which says nothing of the hosts
	}
	last := &readings[len(readings)-1]
	last.Remarks = slices.Concat(last.Remarks, all.remarks(last), info.remarks())
	return nil
}

// askShares asks what shares did and, if there are holes, at which rate cores were reserved.
func (c *Client) askShares(ctx context.Context, all *allShares, pieces []usage.Interval, holes bool) error {
	q, window := c.Query.Shares, pieces[0].Length
	busy := &shareSink{all: all, first: seconds(pieces[0].End()), step: window.Seconds(), unit: q.unit(), into: func(s *share) []float64 { return s.busy }}
	err := cmp.Or(c.ask(ctx, endsOf(pieces), q.growth(window, lately, ""), q.labels(), busy), busy.failed)
	if len(pieces) == 1 && usage.IsTooLarge(err) {
		err = c.askSharesByProject(ctx, busy, pieces[0])
	}
	if err == nil && holes {
		since := *busy
		since.into = func(s *share) []float64 { return s.after }
		err = cmp.Or(c.ask(ctx, endsOf(pieces), q.growth(window, bornWithin, ""), q.labels(), &since), since.failed)
	}
	if err != nil || q.CoresQuery == "" {
		return err
	}
	sum := &shareSink{all: all, first: busy.first, step: busy.step, unit: 1, into: func(s *share) []float64 { return s.reserved }}
	if err := cmp.Or(c.ask(ctx, endsOf(pieces), q.reserved(window), q.labels(), sum), sum.failed); err != nil || !holes {
		return err
	}
	mean := *sum
	mean.into = func(s *share) []float64 { return s.rate }
	return cmp.Or(c.ask(ctx, endsOf(pieces), q.reservedRate(window), q.labels(), &mean), mean.failed)
}

// unknown is nothing known of some pieces.
func unknown(pieces int) []float64 { return slices.Repeat([]float64{math.NaN()}, pieces) }

// askSharesByProject asks for a piece that is too large for the server, project by project.
func (c *Client) askSharesByProject(ctx context.Context, s *shareSink, piece usage.Interval) error {
	q := c.Query.Shares
	projects, err := c.valuesOf(ctx, q.Project, selectorOf(q.Metric, q.Matchers), usage.Period{From: piece.Start, To: piece.End()})
	if err != nil {
		return err
	}
	for _, p := range append(projects, "") {
		if err := c.ask(ctx, endsOf([]usage.Interval{piece}), q.growth(piece.Length, lately, is(q.Project, "=", p)), q.labels(), s); err != nil {
			return err
		}
	}
	return nil
}

// shareSink receives one quantity of shares.
type shareSink struct {
	all         *allShares
	first, step float64
	unit        float64
	into        func(*share) []float64
	values      []string // labels of the series
	named       []string // hosts that it names, as they are spelled
	share       *share   // of the last point
	failed      error    // a point has found no room
}

// Series implements sink.
func (k *shareSink) Series(values []string) error {
	k.values, k.share, k.named = values, nil, nil
	labels := k.all.query.labels()
	for _, label := range k.all.query.Hosts {
		k.named = append(k.named, spelling(values[slices.Index(labels, label)]))
	}
	return k.failed
}

// Point implements sink.
func (k *shareSink) Point(at, v float64) {
	i, ok := columnOf(at, k.first, k.step, k.all.pieces)
	if !ok {
		k.all.rejects[rejectTimestamp]++
		return
	}
	host := k.all.host(k.named, i)
	if host == "" || k.failed != nil {
		return
	}
	if v *= k.unit; !(v >= 0 && v <= maxCores*k.step) { // or NaN
		k.all.rejects[rejectOverCapacity]++
		return
	}
	if k.share == nil || k.share.host != host {
		if k.share, k.failed = k.all.share(host, k.values); k.failed != nil {
			return
		}
	}
	if row := k.into(k.share); math.IsNaN(row[i]) {
		row[i] = v
	} else {
		row[i] += v
	}
}

// Odd implements sink.
func (k *shareSink) Odd(float64) { k.all.rejects[rejectNotANumber]++ }

// Histogram implements sink.
func (k *shareSink) Histogram() { k.all.rejects[rejectHistogram]++ }

// host returns the host that a series names in a piece; empty: none that is known.
func (all *allShares) host(named []string, piece int) string {
	strange, several := "", ""
	for _, name := range named {
		host, more := all.hosts.host(name, piece)
		if host != "" {
			return host
		}
		if more {
			several = cmp.Or(several, name)
		}
		strange = cmp.Or(strange, name)
	}
	switch {
	case several != "" && len(all.several) < maxStrange:
		all.several[several] = true
	case several == "" && strange != "" && len(all.strange) < maxStrange: // a pod that waits has no node
		all.strange[strange] = true
	}
	return ""
}

// share returns what is known of the share of a series on a host.
func (all *allShares) share(host string, values []string) (*share, error) {
	q := all.query
	labels := q.labels()
	of := func(label string) string { return values[slices.Index(labels, label)] }
	key := [3]string{host, usage.Name(of(q.Project)), usage.Name(of(q.User))}
	if s := all.byKey[key]; s != nil {
		return s, nil
	}
	if len(all.byKey) >= maxHosts || len(all.byKey)*all.pieces*parts > maxCells {
		return nil, errTooManySeries()
	}
	s := &share{host: key[0], project: key[1], user: key[2], said: map[string]string{}, busy: unknown(all.pieces), after: unknown(all.pieces), reserved: make([]float64, all.pieces), rate: make([]float64, all.pieces)}
	for _, i := range q.Info {
		for _, label := range i.On {
			s.said[label] = of(label)
		}
	}
	all.byKey[key] = s
	all.byHost[host] = append(all.byHost[host], s)
	return s, nil
}

// maxStrange bounds the names of hosts that are not known.
const maxStrange = 1000
