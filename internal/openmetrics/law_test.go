// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package openmetrics

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestWhatIsWrittenReadsBack writes families of random labels, values and times
// and reads them with the plainest reader there can be.
func TestWhatIsWrittenReadsBack(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	alphabet := []rune("ab\\\"\nn ,={}#é")
	word := func() string {
		var b strings.Builder
		for range r.Intn(6) {
			b.WriteRune(alphabet[r.Intn(len(alphabet))])
		}
		return b.String()
	}
	want := map[string]float64{}
	var out bytes.Buffer
	w := NewWriter(&out)
	for n := range 20 {
		f := Family{Name: fmt.Sprintf("x%d", n), Type: []string{Gauge, Counter}[n%2], Labels: []string{"b", "a"}}
		must(t, w.Family(f))
		series := map[[2]string]bool{}
		for range r.Intn(30) {
			series[[2]string{word(), word()}] = true
		}
		sorted := slices.SortedFunc(maps.Keys(series), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
		for _, s := range sorted {
			must(t, w.Series(s[:]...))
			at := r.Int63n(4e12)
			for range r.Intn(5) {
				v := r.ExpFloat64() * float64(int(1)<<r.Intn(60))
				must(t, w.Sample(v, time.UnixMilli(at)))
				want[fmt.Sprintf("%s %q %d", f.sampleName(), s, at)] = v
				at += 1 + r.Int63n(1e7)
			}
		}
	}
	must(t, w.Close())
	got := map[string]float64{}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, "# TYPE ") {
			id, v := readSample(t, line)
			got[id] = v
		}
	}
	if lines[len(lines)-1] != "# EOF" || !maps.Equal(got, want) {
		t.Errorf("%d samples came back of %d, or not the same", len(got), len(want))
	}
}

// readSample reads name{b="..",a=".."} value seconds.
func readSample(t *testing.T, line string) (id string, value float64) {
	t.Helper()
	name, rest, _ := strings.Cut(line, "{")
	var values [2]string
	for i, label := range []string{`b="`, `,a="`} {
		var ok bool
		if rest, ok = strings.CutPrefix(rest, label); !ok {
			t.Fatalf("%s: no %s", line, label)
		}
		end := 0
		for rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		values[i] = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(rest[:end])
		rest = rest[end+1:]
	}
	parts := strings.Split(rest, " ")
	value, err := strconv.ParseFloat(parts[1], 64)
	if err != nil || len(parts) != 3 || parts[0] != "}" {
		t.Fatalf("%s: %v", line, err)
	}
	whole, fraction, _ := strings.Cut(parts[2], ".")
	ms, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return fmt.Sprintf("%s %q %d", name, values, ms), value
}

func TestASampleNeedsNoMemory(t *testing.T) {
	w := NewWriter(io.Discard)
	must(t, w.Family(energy), w.Series("a project with a long name", "busy"), w.Sample(1, noon))
	n := 0
	if allocs := testing.AllocsPerRun(1000, func() {
		n++
		if err := w.Sample(float64(n)/3, noon.Add(time.Duration(n)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("a sample takes %v allocations", allocs)
	}
}

func BenchmarkSample(b *testing.B) {
	w := NewWriter(io.Discard)
	if err := w.Family(energy); err != nil {
		b.Fatal(err)
	}
	if err := w.Series("a project", "busy"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := range b.N {
		if err := w.Sample(float64(n)/3, noon.Add(time.Duration(n)*time.Second)); err != nil {
			b.Fatal(err)
		}
	}
}
