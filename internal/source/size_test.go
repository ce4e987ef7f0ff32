package source

import (
	"bytes"
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

func TestHundredThousandSeries(t *testing.T) {
	const n = 100_000
	var b strings.Builder
	b.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(host(fmt.Sprint(i), "1"))
	}
	b.WriteString("]}}")
	answer := zipped(t, strings.NewReader(b.String()))
	gzipped := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(answer)
	}
	reading, _ := read(t, &server{busy: gzipped, idle: gzipped})
	if len(reading.Samples) != n {
		t.Errorf("%d hosts, want %d", len(reading.Samples), n)
	}
	day := []usage.Interval{halfHour[0]}
	for len(day) < 48 {
		day = append(day, day[len(day)-1].Next())
	}
	if f, _ := failure(t, (&server{busy: gzipped, idle: gzipped}).client(t), day); f.Reason != usage.ReasonLimit || !f.TooLarge {
		t.Errorf("a day of them: %+v, want a smaller run", f)
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
			c := (&server{busy: func(w http.ResponseWriter, _ *http.Request) {
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

// flood is an answer of as many series, made while it is read.
type flood struct {
	series, done int
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
			f.rest = strconv.AppendInt(f.rest, int64(f.done), 10)
			f.rest = append(f.rest, `"},"values":[`...)
			for i := range 48 {
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

func BenchmarkDecode(b *testing.B) {
	answer, err := io.ReadAll(&flood{series: 10_000})
	if err != nil {
		b.Fatal(err)
	}
	day := []usage.Interval{halfHour[0]}
	for len(day) < 48 {
		day = append(day, day[len(day)-1].Next())
	}
	b.SetBytes(int64(len(answer)))
	b.ReportAllocs()
	for b.Loop() {
		t := newTable(day)
		if err := decode(bytes.NewReader(answer), question().Labels.list(), t.into(busy)); err != nil || len(t.order) != 10_000 {
			b.Fatal(len(t.order), err)
		}
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
