// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package source

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/upstream"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// list is an answer of n series, zipped.
func list(t *testing.T, n int, series func(i int) string) http.HandlerFunc {
	t.Helper()
	var b strings.Builder
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(series(i))
	}
	b.WriteString("]}}")
	answer := zipped(t, strings.NewReader(b.String()))
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(answer)
	}
}

func TestHundredThousandSeries(t *testing.T) {
	const n = 100_000
	given := list(t, n, func(i int) string { return host(fmt.Sprint(i), "1") })
	counters := list(t, n, func(i int) string {
		mode := []string{"user", "idle"}[i%2]
		return atEdges(fmt.Sprint(i/2), mode, "0", "900", "1800", "2700")
	})
	cores := list(t, n/2, func(i int) string { return inPieces(fmt.Sprint(i), "1", "1", "1") })
	for _, test := range []struct {
		name  string
		c     *Client
		hosts int
		days  int // more than fit in memory
	}{
		{"given queries", (&server{busy: given, idle: given}).given(t), n, 2},
		{"counters", (&server{counters: counters, cores: cores}).client(t), n / 2, 3},
	} {
		reading, _ := read(t, test.c)
		if len(reading.Samples) != test.hosts || len(reading.Doubts) > 0 {
			t.Errorf("%s: %d hosts, want %d", test.name, len(reading.Samples), test.hosts)
		}
		if f, _ := failure(t, test.c, halfHours(48*test.days)); f.Reason != usage.ReasonLimit || !f.TooLarge {
			t.Errorf("%s: days of them: %+v, want a smaller run", test.name, f)
		}
		days := halfHours(48 * test.days)
		if test.c.Query.given() {
			continue // what the operator asks for has no size that is known
		}
		n := test.c.Fits(days)
		if n != comfortableRun {
			t.Fatalf("%s: %d of %d intervals fit with ease, want %d", test.name, n, len(days), comfortableRun)
		}
		if _, _, err := test.c.Read(t.Context(), days[:n]); err != nil {
			t.Errorf("%s: %d intervals do not fit: %v", test.name, n, err)
		}
		test.c.extent.counters, test.c.extent.sets = 800_000, 100_000
		if n := test.c.Fits(days); n != 8 {
			t.Errorf("%s: of eight times as much %d intervals fit, want 8", test.name, n)
		}
	}
}

// bomb is a gzip of a text and then one byte again and again, as many MiB: its
// members follow each other, and are one stream to who unzips them.
func bomb(t *testing.T, text string, then byte, size int) []byte {
	t.Helper()
	head := zipped(t, strings.NewReader(text))
	return append(head, bytes.Repeat(zipped(t, bytes.NewReader(bytes.Repeat([]byte{then}, 1<<20))), size)...)
}

func TestGzipBombsStayInBoundedMemory(t *testing.T) {
	const size = 200 // MiB
	opening := `{"status":"success","data":{"resultType":"matrix","result":[`
	tests := []struct {
		name, text string
		then       byte
	}{
		{"a label without end", opening + `{"metric":{"user":"`, 'a'},
		{"a name without end", opening + `{"`, 'a'},
		{"a number without end", opening + `{"metric":{},"values":[[1`, '1'},
		{"a value without end", opening + `{"metric":{},"values":[[1,"`, '1'},
		{"white space without end", opening, ' '},
		{"a word behind the answer", `{"status":"success","infos":["`, 'a'},
		{"brackets without end", opening + `{"metric":{},"values":`, '['},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := bomb(t, test.text, test.then, size)
			c := (&server{counters: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				w.Write(body)
			}}).client(t)
			c.Upstream.(*upstream.Client).MaxBytes = size << 19
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			failure(t, c, halfHour)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 8*maxSeriesBytes {
				t.Errorf("%d bytes allocated, want %d at most", used, 8*maxSeriesBytes)
			}
		})
	}
}

var modes = []string{"idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"}

// flood is an answer of as many series, made while it is read.
type flood struct {
	series, done int
	points       int // 0: 48
	rest         []byte
}

func (f *flood) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		switch {
		case f.done == 0:
			f.rest = append(f.rest[:0], `{"status":"success","data":{"resultType":"matrix","result":[`...)
		case f.done > f.series+1:
			return 0, io.EOF
		case f.done > f.series:
			f.rest = append(f.rest[:0], `]}}`...)
		default:
			f.rest = f.rest[:0]
			if f.done > 1 {
				f.rest = append(f.rest, ',')
			}
			f.rest = append(f.rest, `{"metric":{"cloud_project_name":"ISIS","instance":"host-`...)
			f.rest = strconv.AppendInt(f.rest, int64(f.done-1)/8, 10)
			f.rest = append(f.rest, `","mode":"`...)
			f.rest = append(f.rest, modes[(f.done-1)%8]...)
			f.rest = append(f.rest, `"},"values":[`...)
			for i := range cmp.Or(f.points, 48) {
				if i > 0 {
					f.rest = append(f.rest, ',')
				}
				f.rest = append(f.rest, '[')
				f.rest = strconv.AppendInt(f.rest, noonEnd+int64(i)*1800, 10)
				f.rest = append(f.rest, `,"1234.5678901234"]`...)
			}
			f.rest = append(f.rest, `]}`...)
		}
		f.done++
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

// discard counts, and remembers the most memory that was in use.
type discard struct {
	series, points, histograms int
	peak                       uint64
}

func (d *discard) Series([]string) error {
	if d.series++; d.series%250 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		d.peak = max(d.peak, m.HeapAlloc)
	}
	return nil
}
func (d *discard) Point(float64, float64) { d.points++ }
func (d *discard) Odd(float64)            {}
func (d *discard) Histogram()             { d.histograms++ }

func TestMemoryDoesNotGrowWithTheAnswer(t *testing.T) {
	peak := func(series int) uint64 {
		d := &discard{}
		if err := decode(&flood{series: series}, question().Labels.list(), d); err != nil || d.points != 48*series {
			t.Fatalf("%d points, %v", d.points, err)
		}
		return d.peak
	}
	one, four := peak(1_000), peak(4_000)
	if four > one+64<<10 {
		t.Errorf("%d bytes in use for an answer, %d for one of four times its size", one, four)
	}
}

// BenchmarkDecode reads the counters of some hosts with eight modes each: a day of 1 250, and an
// interval of 10 000.
func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct {
		name            string
		hosts, n, edges int
	}{{"day", 1250, 48, 48}, {"interval", 10_000, 1, 4}} {
		b.Run(c.name, func(b *testing.B) {
			answer, err := io.ReadAll(&flood{series: 8 * c.hosts, points: c.edges})
			if err != nil {
				b.Fatal(err)
			}
			run, q := halfHours(c.n), question()
			labels := append(q.Labels.list(), q.Labels.Mode)
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				t := newEdges(question(), run, false, 1)
				if err := decode(bytes.NewReader(answer), labels, &counterSink{table: t, classOf: q.classOf(), unit: 1}); err != nil || len(t.sets) != c.hosts {
					b.Fatal(len(t.sets), err)
				}
			}
		})
	}
}

func zipped(t testing.TB, text io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.Copy(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a look finds bounds the first run, of which no answer is known yet.
func TestALookBoundsTheFirstRun(t *testing.T) {
	for _, test := range []struct{ hosts, want int }{{100, 48}, {5000, comfortableRun}, {100_000, 8}} {
		c := (&server{}).client(t)
		c.extent.guess(test.hosts, 8)
		if n := c.Fits(halfHours(48)); n != test.want {
			t.Errorf("of %d hosts %d intervals fit, want %d", test.hosts, n, test.want)
		}
	}
}
