package source

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// The closer look: the raw samples of those hosts of which the edges don't say what they used.
const (
	// manyHosts is how many hosts may need a look in one reading before their cores are asked
	// for as sums, which is an eighth of the bytes of eight cores: a restart of the server leaves
	// the same hole in all hosts.
	manyHosts = 100
	// maxLooks bounds the pieces of hosts that are looked at in one reading.
	maxLooks, maxFoldedLooks = 3000, 400_000
	// atOnce bounds the pieces of hosts in one query, and so its memory.
	atOnce, foldedAtOnce = 60, 3000
	// maxInQuery bounds the hosts that one query names, and maxNameBytes their bytes:
	// VictoriaMetrics takes queries of 16 KiB.
	maxInQuery, maxNameBytes = 200, 4 << 10
	// minFold is the least step of sums.
	minFold = 5 * time.Second
	// leastWindow is enough to see how often a host is scraped.
	leastWindow = 20 * time.Minute
	// longestWindow bounds the time of one query.
	longestWindow = 4 * time.Hour
	// farthest is how far from a reading the other end of a hole is searched.
	farthest = 24 * time.Hour
	// minFarStep is the least step of that search: less than the server's look-back sees no more.
	minFarStep = 5 * time.Minute
)

// spot is a host in a piece.
type spot struct {
	host  string
	piece int
}

// look finds what hosts used in the pieces that the edges leave open.
type look struct {
	client   *Client
	table    *edges
	outcomes map[spot]outcome
	folded   bool
	left     int // spots that may still be looked at
}

// lookCloser returns the outcomes of spots.
func (c *Client) lookCloser(ctx context.Context, t *edges, open map[string][]int) (map[spot]outcome, error) {
	l := &look{client: c, table: t, outcomes: map[spot]outcome{}, left: maxLooks}
	if len(open) > manyHosts {
		l.folded, l.left = true, maxFoldedLooks
		unsure, err := l.at(ctx, open)
		if err != nil {
			return nil, err
		}
		l.folded, l.left, open = false, maxLooks, unsure
	}
	_, err := l.at(ctx, open)
	return l.outcomes, err
}

// at looks at hosts in the given pieces. It returns the hosts that sums leave open.
func (l *look) at(ctx context.Context, open map[string][]int) (map[string][]int, error) {
	unsure := map[string][]int{}
	if len(open) == 0 {
		return unsure, nil
	}
	far, err := l.search(ctx, open)
	if err != nil {
		return nil, err
	}
	groups, err := l.plan(open, far)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if err := l.examine(ctx, g, open, unsure); err != nil {
			return nil, err
		}
	}
	return unsure, nil
}

// examine looks at a group of hosts. If the server cannot answer for one host alone, that one
// is refused: the others must not wait for it.
func (l *look) examine(ctx context.Context, g group, open, unsure map[string][]int) error {
	seen, err := l.ask(ctx, g)
	switch {
	case err == nil:
	case !l.table.alone || !usage.IsTooLarge(err) && !usage.IsPermanent(err):
		return err
	case len(g.hosts) == 1:
		l.giveUp(g.hosts[0], open[g.hosts[0]], err.Error())
		return nil
	default:
		half := len(g.hosts) / 2
		if err := l.examine(ctx, group{g.hosts[:half], g.windows}, open, unsure); err != nil {
			return err
		}
		return l.examine(ctx, group{g.hosts[half:], g.windows}, open, unsure)
	}
	for _, host := range g.hosts {
		l.resolve(seen[host], host, open[host], unsure)
	}
	return nil
}

// reach is where a host was last seen before, and first seen after, the row of pieces: an
// interval in which that sample lies. Its length is 0 if there is none.
type reach struct {
	before, after usage.Interval
}

// search finds the other ends of holes that begin before, or end after, the row of pieces.
func (l *look) search(ctx context.Context, open map[string][]int) (map[string]reach, error) {
	t := l.table
	var back, forth []string
	for _, name := range slices.Sorted(maps.Keys(open)) {
		for _, piece := range open[name] {
			h := t.hosts[name]
			before, after := t.nearest(h, piece)
			if before < 0 && !h.known(piece) && !slices.Contains(back, name) {
				back = append(back, name)
			}
			if after < 0 && !slices.Contains(forth, name) {
				forth = append(forth, name)
			}
		}
	}
	length := t.pieces[0].Length
	step := max(length, minFarStep)
	first, last := t.pieces[0].Start, t.pieces[len(t.pieces)-1].End()
	n := int(farthest / step)
	far := map[string]reach{}
	backward := make([]usage.Interval, n)
	for i := range backward {
		backward[i] = usage.Interval{Start: first.Add(time.Duration(i-n) * step), Length: 0}
	}
	err := l.seen(ctx, back, backward, step, func(host string, times []float64) {
		r := far[host]
		r.before = usage.Interval{Start: atSeconds(slices.Max(times)), Length: step}
		far[host] = r
	})
	if err != nil {
		return nil, err
	}
	forward := make([]usage.Interval, n)
	for i := range forward {
		forward[i] = usage.Interval{Start: last.Add(time.Duration(i+1) * step), Length: 0}
	}
	return far, l.seen(ctx, forth, forward, step, func(host string, times []float64) {
		r := far[host]
		r.after = usage.Interval{Start: atSeconds(slices.Min(times)).Add(-step), Length: step}
		far[host] = r
	})
}

// seen asks at which of some moments hosts are seen.
func (l *look) seen(ctx context.Context, hosts []string, moments []usage.Interval, step time.Duration, found func(host string, times []float64)) error {
	for some := range inQueries(hosts, maxInQuery) {
		s := &seenSink{times: map[string][]float64{}}
		err := l.client.ask(ctx, grid{moments[0].Start, moments[len(moments)-1].Start, step}, l.client.query().seen(some), []string{l.client.Query.Labels.Host}, s)
		if l.table.alone && hasRefused(err) {
			continue // the other end of a hole stays unknown
		}
		if err != nil {
			return err
		}
		for host, times := range s.times {
			if len(times) > 0 {
				found(host, times)
			}
		}
	}
	return nil
}

// inQueries divides hosts among queries.
func inQueries(hosts []string, most int) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for len(hosts) > 0 {
			n, bytes := 0, 0
			for n < min(most, len(hosts)) && (n == 0 || bytes+len(hosts[n]) <= maxNameBytes) {
				bytes += len(hosts[n])
				n++
			}
			if !yield(hosts[:n]) {
				return
			}
			hosts = hosts[n:]
		}
	}
}

// group are hosts that are asked for together, and the time that is asked for.
type group struct {
	hosts   []string
	windows []usage.Interval
}

// plan puts hosts that need the same windows together.
func (l *look) plan(open map[string][]int, far map[string]reach) ([]group, error) {
	byWindows := map[string]*group{}
	var order []string
	spots := 0
	for _, host := range slices.Sorted(maps.Keys(open)) {
		windows := l.windows(host, open[host], far[host])
		cost := 0
		for _, w := range windows {
			cost += max(int(w.Length/l.table.pieces[0].Length), 1)
		}
		if spots += cost; spots > l.left {
			if !l.table.alone {
				return nil, &usage.Failure{Reason: usage.ReasonLimit, TooLarge: true, Detail: fmt.Sprintf("%d hosts need a closer look", len(open))}
			}
			l.giveUp(host, open[host], fmt.Sprintf("%d hosts need a closer look at once", len(open)))
			continue
		}
		key := keyOf(windows)
		if byWindows[key] == nil {
			byWindows[key] = &group{windows: windows}
			order = append(order, key)
		}
		byWindows[key].hosts = append(byWindows[key].hosts, host)
	}
	l.left -= min(spots, l.left)
	most := atOnce
	if l.folded {
		most = foldedAtOnce
	}
	var groups []group
	for _, key := range order {
		g := byWindows[key]
		cost := 0
		for _, w := range g.windows {
			cost += max(int(w.Length/l.table.pieces[0].Length), 1)
		}
		for some := range inQueries(g.hosts, min(max(most/max(cost, 1), 1), maxInQuery)) {
			groups = append(groups, group{some, g.windows})
		}
	}
	return groups, nil
}

// keyOf tells windows apart. An interval as text has no length.
func keyOf(windows []usage.Interval) string {
	var key strings.Builder
	for _, w := range windows {
		fmt.Fprint(&key, w, w.Length)
	}
	return key.String()
}

// windows returns the times of which the raw samples of a host are needed, joined where they
// touch: the open pieces, and those in which its last sample before and its first after them
// lie.
func (l *look) windows(host string, pieces []int, far reach) []usage.Interval {
	t := l.table
	h := t.hosts[host]
	needed := map[int]bool{}
	ends := map[usage.Interval]bool{}
	for _, piece := range pieces {
		before, after := t.nearest(h, piece)
		if !h.there(piece) && (before < 0 && far.before.Length == 0 || after < 0 && far.after.Length == 0) {
			continue // not born, or dead
		}
		needed[piece] = h.there(piece)
		switch {
		case h.known(piece): // by a sample at most as old as the server looks back
		case before >= 0:
			needed[before] = true
		case far.before.Length > 0:
			ends[far.before] = true
		}
		switch { // the sample after an edge, even where one before it is known: that may be old
		case after >= 0:
			needed[after] = true
		case far.after.Length > 0:
			ends[far.after] = true
		}
	}
	var all []usage.Interval
	for i := range t.pieces {
		if needed[i] {
			all = append(all, t.pieces[i])
		}
	}
	all = append(all, slices.Collect(maps.Keys(ends))...)
	slices.SortFunc(all, func(a, b usage.Interval) int { return a.Start.Compare(b.Start) })
	var joined []usage.Interval
	for _, w := range all {
		if n := len(joined); n > 0 && !w.Start.After(joined[n-1].End()) && w.End().Sub(joined[n-1].Start) <= longestWindow {
			joined[n-1].Length = max(joined[n-1].Length, w.End().Sub(joined[n-1].Start))
			continue
		}
		joined = append(joined, w)
	}
	return joined
}

// giveUp refuses what cannot be looked at.
func (l *look) giveUp(host string, pieces []int, why string) {
	h := l.table.hosts[host]
	for _, piece := range pieces {
		o := outcome{cores: h.cores(piece)}
		l.outcomes[spot{host, piece}] = refuse(o, l.table, usage.DoubtNotLooked, why)
	}
}

// ask asks for the raw samples of a group.
func (l *look) ask(ctx context.Context, g group) (map[string]*closeUp, error) {
	q := l.client.query()
	seen := map[string]*closeUp{}
	for _, w := range g.windows {
		window := max(w.Length+time.Duration(lookBack)*time.Second, leastWindow)
		s := &rawSink{seen: seen, query: q}
		labels := append(q.Labels.list(), q.Labels.CPU, q.Labels.Mode)
		query := q.raw(g.hosts, window)
		if l.folded {
			query = q.folded(g.hosts, window, max(l.table.pieces[0].Length/120, minFold))
		}
		if err := l.client.askAt(ctx, w.End(), query, labels, s); err != nil {
			return nil, err
		}
	}
	for host, c := range seen {
		cores := 0.0
		h := l.table.hosts[host]
		if h == nil {
			continue
		}
		for i := range l.table.pieces {
			cores = max(cores, h.cores(i))
		}
		c.assemble(q.classOf(), cores, l.folded)
	}
	return seen, nil
}

// resolve makes outcomes of what was seen of a host.
func (l *look) resolve(c *closeUp, host string, pieces []int, unsure map[string][]int) {
	for _, piece := range pieces {
		o := l.outcome(c, host, piece)
		if l.folded && o.state == usage.HostRefused {
			unsure[host] = append(unsure[host], piece)
			continue
		}
		l.outcomes[spot{host, piece}] = o
		if c != nil && len(c.units) > 0 {
			l.client.hosts.every(host, c.units[0].scrape)
		}
	}
}

// outcome is what a host used in a piece according to its raw samples.
func (l *look) outcome(c *closeUp, host string, piece int) (o outcome) {
	t := l.table
	o.cores = t.hosts[host].cores(piece)
	switch {
	case c == nil:
		if o.cores > 0 || t.hosts[host].known(piece) && t.hosts[host].known(piece+1) {
			return refuse(o, t, usage.DoubtNotLooked, "the server gives no raw samples of it")
		}
		return o
	case c.mixedIn(t.edge(piece), t.edge(piece+1)):
		return refuse(o, t, usage.DoubtMixed, differences(c.tracks))
	case c.broken:
		return refuse(o, t, usage.DoubtNoCores, "no label of the core, and it grows by no whole number of cores. Set cores_query")
	case len(c.units) > 0 && !c.has[busyClass]:
		return refuse(o, t, usage.DoubtHalf, "no busy mode")
	case len(c.units) > 0 && !c.has[idleClass]:
		return refuse(o, t, usage.DoubtNoCores, "no idle mode, so its cores are not known")
	}
	from, to := t.edge(piece), t.edge(piece+1)
	sums := map[usage.Series]*booked{}
	short, stepped, shifted, there, interpolated, cores := 0.0, 0.0, false, false, false, 0.0
	var odd []mark
	hole := false
	for _, u := range c.units {
		for _, edge := range []float64{from, to} {
			_, inHole := u.position(edge, to-from)
			hole = hole || inHole
		}
		p := u.portion(from, to)
		if p.there {
			cores += u.cores
		}
		there = there || p.there
		interpolated = interpolated || p.interpolated
		shifted = shifted || p.shifted
		short += p.short
		o.seen += p.seen
		o.capacity += p.capacity
		if p.since > 0 && (o.since == 0 || p.since < o.since) {
			o.since = p.since
		}
		for _, m := range p.marks {
			if m.reason == usage.DoubtHole && c.sampledIn(m.from+u.scrape, m.to-u.scrape) {
				continue // a core was offline, the machine was there
			}
			odd = append(odd, m)
			stepped += m.by
		}
		tracks := slices.SortedFunc(maps.Keys(p.by), func(a, b *track) int { return strings.Compare(a.id, b.id) })
		for _, track := range tracks { // a sum depends on its order in the last digit
			by := p.by[track]
			b := sums[track.series]
			if b == nil {
				b = &booked{series: track.series}
				sums[track.series] = b
			}
			b.busy += by[busyClass]
			b.idle += by[idleClass]
			b.seen += by[busyClass] + by[idleClass] + by[otherClass] + by[unlisted]
		}
	}
	o.final = c.last() > to
	if !hole {
		if lawful, _ := t.judge(t.hosts[host], piece, false); lawful.state == usage.HostExact {
			lawful.final, lawful.booked = o.final, slices.Clone(lawful.booked)
			return lawful // whatever happened between the edges, it was undone
		}
	}
	o.cores = cmp.Or(o.cores, cores)
	o.copies = c.copies
	if !there {
		if o.cores == 0 || !t.hosts[host].there(piece) {
			return outcome{final: o.final}
		}
		o.capacity = 0
	}
	if i := slices.IndexFunc(odd, func(m mark) bool { return m.reason == usage.DoubtLeap }); i >= 0 {
		return refuse(o, t, usage.DoubtLeap, fmt.Sprintf("its counters grew by %.0f s in %.0f s", odd[i].by, odd[i].to-odd[i].from))
	}
	slack := max(tolerance*o.capacity, jitter*o.cores)
	switch {
	case short > slack:
		return refuse(o, t, usage.DoubtShort, fmt.Sprintf("its counters show %.0f of %.0f CPU seconds", o.seen, o.capacity))
	case -short > slack:
		return refuse(o, t, usage.DoubtLeap, fmt.Sprintf("its counters show %.0f of %.0f CPU seconds", o.seen, o.capacity))
	}
	for _, s := range slices.SortedFunc(maps.Keys(sums), func(a, b usage.Series) int {
		return cmp.Or(compareSeries(a, b), strings.Compare(a.Host, b.Host))
	}) {
		o.booked = append(o.booked, booked{s, max(sums[s].busy, 0), max(sums[s].idle, 0), sums[s].seen})
	}
	o.state = usage.HostExact
	if shifted && o.seen > 0 {
		o.seen = o.capacity // the rest is booked next door
	}
	switch {
	case slices.ContainsFunc(odd, func(m mark) bool { return m.reason == usage.DoubtSteppedBack }):
		o.state, o.reason = usage.HostInterpolated, usage.DoubtSteppedBack
		o.detail = fmt.Sprintf("its counters stepped back by %.0f s; what it used in that scrape interval is not booked", stepped)
	case interpolated:
		o.state, o.reason, o.detail = usage.HostInterpolated, usage.DoubtHole, "an edge of the interval lies in a hole; what it used in the hole is spread evenly"
	case len(odd) > 0:
		o.state, o.reason, o.detail = usage.HostInterpolated, usage.DoubtHole, "it booted in a hole; what it used before is not known"
	case shifted:
		o.state, o.reason, o.detail = usage.HostInterpolated, usage.DoubtHole, "its newest sample at an edge is old; the time between belongs to the next interval"
	}
	return o
}

// there reports whether a host is seen at an edge of a piece or between.
func (h *hostSets) there(piece int) bool {
	return h.cores(piece) > 0 || h.known(piece) || h.known(piece+1)
}

// sampled reports whether a host has samples in a piece. At an edge the server may look back for
// one of before.
func (h *hostSets) sampled(piece int) bool {
	counted := h.given != nil || slices.ContainsFunc(h.sets, func(s *labelSet) bool { return s.cores != nil })
	return h.cores(piece) > 0 || !counted && h.there(piece)
}

// askAt sends one instant query.
func (c *Client) askAt(ctx context.Context, at time.Time, query string, labels []string, s sink) error {
	body, err := c.send(ctx, "api/v1/query", url.Values{"query": {query}, "time": {queryTime(at)}, "partial_response": {"false"}})
	if err == nil {
		err = decode(body, labels, s)
		body.Close()
	}
	return c.Upstream.Failed("query "+query, err)
}

// rawSink receives raw samples.
type rawSink struct {
	seen  map[string]*closeUp
	query Query
	rest  []label
	into  *points
}

// Rest implements restSink.
func (r *rawSink) Rest(others []label) { r.rest = others }

// Series implements sink.
func (r *rawSink) Series(labels []string) error {
	series := rawSeries(labels[:4])
	c := r.seen[series.Host]
	if c == nil {
		c = &closeUp{tracks: map[string]*track{}}
		r.seen[series.Host] = c
	}
	slices.SortFunc(r.rest, func(a, b label) int { return strings.Compare(a.name, b.name) })
	var id strings.Builder
	fmt.Fprintf(&id, "%q", []string{series.Project, series.Machine, series.User})
	for _, l := range r.rest {
		id.WriteString(strconv.Quote(l.name) + strconv.Quote(l.value))
	}
	t := c.tracks[id.String()]
	if t == nil {
		t = &track{series: series, id: id.String(), others: slices.Clone(r.rest), cores: map[string]map[string]*points{}}
		c.tracks[t.id] = t
	}
	cpu, mode := labels[4], labels[5]
	if t.cores[cpu] == nil {
		t.cores[cpu] = map[string]*points{}
	}
	if t.cores[cpu][mode] == nil {
		t.cores[cpu][mode] = &points{}
	}
	r.into = t.cores[cpu][mode]
	return nil
}

// Point implements sink. Windows overlap; a sample that is no number of seconds is left out, as
// if it had not been scraped. Sums repeat the last sample for as long as the server looks back.
func (r *rawSink) Point(at, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > maxCounter || math.IsNaN(at) {
		return
	}
	if n := len(r.into.at); n > 0 && at <= r.into.at[n-1] {
		return
	}
	r.into.at = append(r.into.at, at)
	r.into.v = append(r.into.v, v)
}

// Odd implements sink.
func (r *rawSink) Odd(float64) {}

// Histogram implements sink.
func (r *rawSink) Histogram() {}

// seenSink receives the times at which hosts are seen.
type seenSink struct {
	times map[string][]float64
	host  string
}

// Series implements sink.
func (s *seenSink) Series(labels []string) error {
	s.host = usage.HostLabel(labels[0])
	return nil
}

// Point implements sink.
func (s *seenSink) Point(at, _ float64) {
	if !math.IsNaN(at) {
		s.times[s.host] = append(s.times[s.host], at)
	}
}

// Odd implements sink.
func (s *seenSink) Odd(float64) {}

// Histogram implements sink.
func (s *seenSink) Histogram() {}
