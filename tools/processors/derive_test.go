// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/processor"
)

// TestTableIsDerived: the table of the program is what the results say, and nobody's hand.
func TestTableIsDerived(t *testing.T) {
	watts, models, err := tables(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]byte{"watts.csv": watts, "models.csv": models} {
		got, err := os.ReadFile("../../internal/processor/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("internal/processor/%s is not what the results say: run make processors", name)
		}
	}
}

// TestDocsShowTheTable: the table of the page is that of the program.
func TestDocsShowTheTable(t *testing.T) {
	servers, tdps, err := sources(".")
	if err != nil {
		t.Fatal(err)
	}
	watts, _ := derive(servers, tdps)
	inDocs(t, markdown(t, watts))
}

// markdown is the table of watts as a page shows it.
func markdown(t *testing.T, watts [][]string) []string {
	t.Helper()
	lines := []string{
		"| family | servers | published | busy, W a thread | idle, W a thread | busy, W a W of TDP | idle, W a package |",
		"|---|---|---|---|---|---|---|",
	}
	scaled := map[string][]string{}
	for _, r := range watts[1:] {
		if r[1] != processor.PerThread {
			scaled[r[0]] = r
		}
	}
	level := func(r []string, at int) string {
		if r == nil {
			return "-"
		}
		x := func(at int) string {
			f, err := strconv.ParseFloat(r[at], 64)
			if err != nil {
				t.Fatal(err)
			}
			return strconv.FormatFloat(f, 'f', 2, 64)
		}
		return x(at) + " (" + x(at+3) + " to " + x(at+4) + ")"
	}
	for _, r := range watts[1:] {
		if r[1] == processor.PerThread {
			by, idle := scaled[r[0]], level(scaled[r[0]], 10)
			if r[0] == processor.Any {
				idle += " a W of TDP"
			}
			lines = append(lines, "| "+strings.Join([]string{r[0], r[2], r[3] + " to " + r[4], level(r, 5), level(r, 10), level(by, 5), idle}, " | ")+" |")
		}
	}
	return lines
}

const head = "maker,cpu,published,chips,cores,cores_per_chip,threads_per_core,busy_watts,idle_watts\n"

func TestWattsAreOfTheWholeServer(t *testing.T) {
	servers, left, err := readServers(strings.NewReader(head +
		strings.Repeat("A Inc.,AMD EPYC 9654,2023-01,2,192,96,2,768,76.8\n", 4) +
		"A Inc.,AMD EPYC 9654,2023-01,2,192,192,2,768,76.8\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(servers) != 4 || left != 1 {
		t.Errorf("%d servers, %d left out: that with 2 x 192 = 192 cores contradicts itself", len(servers), left)
	}
	watts, models := derive(servers, map[[2]string]float64{{servers[0].name.Family, "9654"}: 384})
	for _, r := range watts[1:] {
		want := map[string][2]string{processor.PerThread: {"2", "0.2"}, processor.PerPackage: {"1", "38.4"}, processor.PerTDP: {"1", "0.1"}}[r[1]]
		if r[2] != "4" || r[5] != want[0] || r[10] != want[1] {
			t.Errorf("%s per %s: %s servers, %s W busy and %s W idle, not %s", r[0], r[1], r[2], r[5], r[10], want)
		}
	}
	if got := strings.Join(models[1], ","); got != servers[0].name.Family+",9654,384,192" {
		t.Errorf("the model is %s", got)
	}
}

func TestFewRowsMakeNoFamily(t *testing.T) {
	servers, _, err := readServers(strings.NewReader(head + strings.Repeat("A Inc.,AMD EPYC 9654,2023-01,2,192,96,2,768,76.8\n", fewest-1)))
	if err != nil {
		t.Fatal(err)
	}
	if watts, _ := derive(servers, nil); len(watts) != 1 {
		t.Errorf("%d servers make %s", fewest-1, watts[1:])
	}
}

// TestBoundsAreWiderOfFewer: that a family has few rows makes its bounds wider, as does their
// scatter, and each side has its own.
func TestBoundsAreWiderOfFewer(t *testing.T) {
	even := []float64{0.8, 0.9, 1, 1 / 0.9, 1 / 0.8}
	var many []float64
	for _, x := range even {
		many = append(many, x, x, x, x, x, x, x, x)
	}
	own := math.Log(1/0.9) / quartile
	few, more := levelOf(even, own, deviation{}), levelOf(many, own, deviation{})
	if math.Log(few.High/few.Low) <= math.Log(more.High/more.Low) {
		t.Errorf("%+v of 5 is not wider than %+v of 40", few, more)
	}
	if wide := levelOf(many, own, deviation{above: 0.3}); wide.High <= more.High || wide.Low != more.Low {
		t.Errorf("%+v, widened above only, is %+v", more, wide)
	}
	if skewed := levelOf([]float64{1, 1, 1, 2, 3}, 0, deviation{}); skewed.Low != 1 || skewed.High < 1.5 {
		t.Errorf("of what is never less than its median: %+v", skewed)
	}
}

func TestQuantile(t *testing.T) {
	for _, tt := range []struct {
		p, want float64
	}{{0, 1}, {0.25, 1.75}, {0.5, 2.5}, {0.75, 3.25}, {1, 4}} {
		if got := quantile([]float64{1, 2, 3, 4}, tt.p); got != tt.want {
			t.Errorf("quantile %g of 1, 2, 3, 4 is %g, not %g", tt.p, got, tt.want)
		}
	}
}

func TestWhatIsNoResultIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ row, want string }{
		"no month":     {"A,AMD EPYC 9654,Jan-2023,2,192,96,2,768,76.8", `line 2: parsing time "Jan-2023"`},
		"no number":    {"A,AMD EPYC 9654,2023-01,2,192,96,2,much,76.8", `line 2: busy_watts: "much" is no positive number`},
		"no watts":     {"A,AMD EPYC 9654,2023-01,2,192,96,2,768,0", `line 2: idle_watts: "0" is no positive number`},
		"not a number": {"A,AMD EPYC 9654,2023-01,2,192,96,2,768,NaN", `line 2: idle_watts: "NaN" is no positive number`},
	} {
		if _, _, err := readServers(strings.NewReader(head + tt.row + "\n")); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := readServers(strings.NewReader("maker\nA\n")); err == nil || err.Error() != `there is no column "cpu"` {
		t.Error(err)
	}
}

func TestExtract(t *testing.T) {
	results := ",Hardware Vendor,CPU Description,Published,Chips,# Cores,# Cores Per Chip,# Threads Per Core,avg. watts @ 100%,avg. watts @ active idle,Total Threads\n" +
		"0,Dell  Inc.,AMD EPYC 7742,Aug-2019,2,128,64,2,430.0,95.1,256\n" +
		"1,ASUSTeK Computer Inc.,\" Intel Xeon\u00a0L5420\",Nov-2008,2,8,4,1,170.0,86.0,8\n"
	got, err := extractServers(strings.NewReader(results))
	if err != nil {
		t.Fatal(err)
	}
	want := head +
		"ASUSTeK Computer Inc.,Intel Xeon L5420,2008-11,2,8,4,1,170.0,86.0\n" +
		"Dell Inc.,AMD EPYC 7742,2019-08,2,128,64,2,430.0,95.1\n"
	if string(text(got)) != want {
		t.Errorf("the extract is\n%s", text(got))
	}
	tdps, err := extractTDPs(strings.NewReader("Name,TDP\nIntel Xeon Gold 6338,205.0\nAMD EPYC 7742,225\nIntel Celeron 1000A,27.29.5\nAMD EPYC-Rome,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "name,tdp_watts\nAMD EPYC 7742,225\nIntel Xeon Gold 6338,205.0\n"; string(text(tdps)) != want {
		t.Errorf("the extract is\n%s", text(tdps))
	}
}

func TestMakersHaveOneName(t *testing.T) {
	for name, want := range map[string]string{
		"Hewlett Packard Enterprise": "hewlett-packard", "Hewlett-Packard Company": "hewlett-packard",
		"Super Micro Computer, Inc.": "supermicro", "SuperMicro, Inc.": "supermicro", "Supermicro Inc": "supermicro",
		"Fujitsu Siemens Computers": "fujitsu", "Fsas Technologies Inc.": "fujitsu", "Dell Inc.": "dell",
	} {
		if got := maker(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
}
