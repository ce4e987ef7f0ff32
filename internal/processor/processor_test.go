// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package processor

import (
	"math"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	naples   = "EPYC 7xx1 (Naples)"
	rome     = "EPYC 7xx2 (Rome)"
	milan    = "EPYC 7xx3 (Milan)"
	genoa    = "EPYC 9xx4 (Genoa and Bergamo)"
	turin    = "EPYC 9xx5 (Turin)"
	graniteP = "Xeon 6 P-cores (Granite Rapids)"
	sapphire = "Xeon Scalable 4th 5th (Sapphire and Emerald Rapids)"
	icelake  = "Xeon Scalable 3rd (Ice Lake)"
	cooper   = "Xeon Scalable 3rd (Cooper Lake)"
	cascade  = "Xeon Scalable 2nd (Cascade Lake)"
	skylake  = "Xeon Scalable 1st (Skylake)"
)

func TestNamesAreRecognised(t *testing.T) {
	for _, tt := range []struct {
		name string
		want Name
	}{
		{"AMD EPYC 9354 32-Core Processor", Name{Family: genoa, Model: "9354", Cores: 32}},
		{"AMD EPYC 9754 128-Core Processor", Name{Family: genoa, Model: "9754", Cores: 128}},
		{"AMD EPYC 9965 192-Core Processor", Name{Family: turin, Model: "9965", Cores: 192}},
		{"AMD EPYC 75F3 32-Core Processor", Name{Family: milan, Model: "75f3", Cores: 32}},
		{"AMD EPYC 7F52 16-Core Processor", Name{Family: rome, Model: "7f52", Cores: 16}},
		{"AMD EPYC 7B12", Name{Family: rome, Model: "7b12"}},
		{"AMD EPYC 7R13 Processor", Name{Family: milan, Model: "7r13"}},
		{"AMD EPYC 7601, Dell SKU [338-BNCG]", Name{Family: naples, Model: "7601"}},
		{"AMD EPYC 8534PN 64-Core Processor", Name{Family: "EPYC 8xx4 (Siena)", Model: "8534pn", Cores: 64}},
		{"Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz", Name{Family: icelake, Model: "6338"}},
		{"Intel(R) Xeon(R) Platinum 8480+", Name{Family: sapphire, Model: "8480+"}},
		{"INTEL(R) XEON(R) PLATINUM 8592+", Name{Family: sapphire, Model: "8592+"}},
		{"Intel(R) Xeon(R) CPU Max 9480", Name{Family: sapphire, Model: "9480"}},
		{"Intel(R) Xeon(R) Platinum 8380H CPU @ 2.90GHz", Name{Family: cooper, Model: "8380h"}},
		{"Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", Name{Family: cascade, Model: "8259cl"}},
		{"Intel(R) Xeon(R) Bronze 3206R CPU @ 1.90GHz", Name{Family: cascade, Model: "3206r"}},
		{"Intel(R) Xeon(R) Silver 4114 CPU @ 2.20GHz", Name{Family: skylake, Model: "4114"}},
		{"Intel(R) Xeon(R) 6787P", Name{Family: graniteP, Model: "6787p"}},
		{"Intel(R) Xeon(R) 6780E", Name{Family: "Xeon 6 E-cores (Sierra Forest)", Model: "6780e"}},
		{"Intel(R) Xeon(R) 6369P", Name{Family: "Xeon E-2xxx 63xx", Model: "6369p"}},
		{"Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", Name{Family: "Xeon E5 v4 (Broadwell)", Model: "e52680v4"}},
		{"Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", Name{Family: "Xeon E5 (Sandy Bridge)", Model: "e52670"}},
		{"Intel(R) Xeon(R) CPU E7- 4870  @ 2.40GHz", Name{Family: "Xeon E7 (Westmere)", Model: "e74870"}},
		{"Intel(R) Xeon(R) CPU E3-1265L V2 @ 2.50GHz", Name{Family: "Xeon E3 v2 to v4", Model: "e31265lv2"}},
		{"Intel(R) Xeon(R) D-2776NT CPU @ 2.10GHz", Name{Family: "Xeon D-17xx D-27xx", Model: "d2776nt"}},
		{"Intel(R) Xeon(R) CPU           X5670  @ 2.93GHz", Name{Family: "Xeon 56xx (Westmere)", Model: "x5670"}},
		{"Intel(R) Xeon(R) CPU            5160  @ 3.00GHz", Name{Family: "Xeon 3xxx 5xxx 73xx to 2008", Model: "5160"}},
		{"AMD Opteron(tm) Processor 6174", Name{Family: "Opteron 6xxx", Model: "6174"}},
		{"Six-Core AMD Opteron(tm) Processor 8425 HE", Name{Family: "Opteron 2xxx 8xxx", Model: "8425he"}},
		{"Ampere(R) Altra(R) Max Processor", Name{Family: "Ampere Altra"}},
		{"Ampere® Altra® 64-Bit Multi-Core Processor Q64-30", Name{Family: "Ampere Altra", Model: "q6430"}},
		// What a hypervisor calls its model of a processor tells the family, and no more.
		{"Neoverse-N1", Name{Family: "Ampere Altra", Virtual: true}},
		{"AMD EPYC Processor", Name{Family: naples, Virtual: true}},
		{"AMD EPYC Processor (with IBPB)", Name{Family: naples, Virtual: true}},
		{"AMD EPYC-Rome Processor", Name{Family: rome, Virtual: true}},
		{"AMD EPYC-Milan-v2 Processor", Name{Family: milan, Virtual: true}},
		{"EPYC-Genoa", Name{Family: genoa, Virtual: true}},
		{"Intel Xeon Processor (Icelake)", Name{Family: icelake, Virtual: true}},
		{"Intel Xeon Processor (Cascadelake)", Name{Family: cascade, Virtual: true}},
		{"Intel Xeon Processor (Skylake, IBRS, no TSX)", Name{Family: skylake, Virtual: true}},
		{"Intel Xeon Processor (SapphireRapids)", Name{Family: sapphire, Virtual: true}},
		{"Intel Core Processor (Broadwell, IBRS)", Name{Family: "Xeon E5 v4 (Broadwell)", Virtual: true}},
		{"Intel Core Processor (Haswell, no TSX, IBRS)", Name{Family: "Xeon E5 v3 (Haswell)", Virtual: true}},
		{"Intel Xeon E312xx (Sandy Bridge, IBRS update)", Name{Family: "Xeon E5 (Sandy Bridge)", Virtual: true}},
		{"Westmere E56xx/L56xx/X56xx (Nehalem-C)", Name{Family: "Xeon 56xx (Westmere)", Virtual: true}},
		{"AMD Opteron 63xx class CPU", Name{Family: "Opteron 6xxx", Virtual: true}},
		// The same in other dress.
		{"  amd   epyc™ 9354\u00a032-core\tprocessor \n", Name{Family: genoa, Model: "9354", Cores: 32}},
		{"AMD EPYC(TM) 9354 32-Core Processor\x00\x00\x1b", Name{Family: genoa, Model: "9354", Cores: 32}},
		{"Intel® Xeon® Gold 6338 Processor", Name{Family: icelake, Model: "6338"}},
		{"XEON GOLD 6338", Name{Family: icelake, Model: "6338"}},
	} {
		if got, ok := Recognise(tt.name); !ok || got != tt.want {
			t.Errorf("%q is %+v, %v, not %+v", tt.name, got, ok, tt.want)
		}
	}
}

func TestNamesThatSayNothing(t *testing.T) {
	for name, is := range map[string]string{
		"no name":                    "",
		"QEMU's own":                 "QEMU Virtual CPU version 2.5+",
		"KVM's own":                  "Common KVM processor",
		"a 32-bit one":               "Common 32-bit KVM processor",
		"an engineering sample":      "Genuine Intel(R) CPU 0000%@",
		"an architecture":            "ARMv8",
		"no model":                   "Intel(R) Xeon(R) CPU @ 2.20GHz",
		"a brand":                    "Intel(R) Xeon(R) Processor",
		"a laptop":                   "12th Gen Intel(R) Core(TM) i7-1260P",
		"a desktop":                  "AMD Ryzen 9 7950X 16-Core Processor",
		"a family that has no rows":  "AMD EPYC Embedded 3251",
		"an EPYC to come":            "AMD EPYC 9006",
		"a Xeon before all families": "Intel(R) Xeon(TM) CPU 3.20GHz",
		"longer than any name":       "AMD EPYC 9354 " + strings.Repeat(" ", longest),
		"no UTF-8":                   "\xff\xfe\xfd",
	} {
		if e, ok := Of(is, 64); ok {
			t.Errorf("%s, %q, is known: %+v", is, name, e)
		}
	}
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		name                string
		cpu                 string
		threads             int
		busyLeast, busyMost usage.Watts
		weak                bool
		reason              string
	}{
		{
			name: "a model with results", cpu: "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", threads: 80,
			busyLeast: 3.8, busyMost: 4.4, reason: "as 43 servers of the family draw, for 270 W of thermal design power and 80 threads (as the machine says)",
		},
		{
			name: "the same in a virtual machine of four packages of one thread", cpu: "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", threads: 1,
			busyLeast: 3.8, busyMost: 4.4, reason: "and 80 threads (as in its results)",
		},
		{
			name: "the same without multithreading: half of the threads, so twice as much each", cpu: "Intel(R) Xeon(R) Platinum 8380 CPU @ 2.30GHz", threads: 40,
			busyLeast: 7.6, busyMost: 8.8, reason: "and 40 threads (as the machine says)",
		},
		{
			name: "a model without results, whose name has its cores", cpu: "AMD EPYC 9354 32-Core Processor",
			busyLeast: 4, busyMost: 4.5, reason: "280 W of thermal design power and 64 threads (as its name says)",
		},
		{
			name: "a model without results on a machine", cpu: "Intel(R) Xeon(R) Gold 6342 CPU @ 2.80GHz", threads: 48,
			busyLeast: 5.5, busyMost: 6.2, reason: "230 W of thermal design power and 48 threads (as the machine says)",
		},
		{
			name: "the same in a virtual machine of four threads: too few to be true", cpu: "Intel(R) Xeon(R) Gold 6342 CPU @ 2.80GHz", threads: 4,
			busyLeast: 3.9, busyMost: 4.3, reason: "the median of 43 servers of the family",
		},
		{
			name: "a model without results and threads", cpu: "Intel(R) Xeon(R) Gold 6342 CPU @ 2.80GHz",
			busyLeast: 3.9, busyMost: 4.3, reason: "the median of 43 servers of the family",
		},
		{
			name: "a model that the list of thermal design powers does not have", cpu: "AMD EPYC 9R14",
			busyLeast: 1.4, busyMost: 1.7, reason: "the median of 50 servers of the family",
		},
		{
			name: "a family without results: by its thermal design power, as all families draw", cpu: "Intel(R) Xeon(R) CPU E7-8890 v4 @ 2.20GHz", threads: 48,
			busyLeast: 3.5, busyMost: 4.1, weak: true, reason: "servers of all families draw",
		},
		{
			name: "a name that a hypervisor gives", cpu: "AMD EPYC-Rome Processor", threads: 1,
			busyLeast: 1.6, busyMost: 1.7, weak: true, reason: "a hypervisor gives this name",
		},
		{
			name: "threads that are none", cpu: "AMD EPYC 9354 32-Core Processor", threads: -7,
			busyLeast: 4, busyMost: 4.5, reason: "and 64 threads",
		},
	} {
		e, ok := Of(tt.cpu, tt.threads)
		if !ok {
			t.Errorf("%s: not known", tt.name)
			continue
		}
		if e.Watts.Busy < tt.busyLeast || e.Watts.Busy > tt.busyMost {
			t.Errorf("%s: %.2f W busy, not %g to %g", tt.name, e.Watts.Busy, tt.busyLeast, tt.busyMost)
		}
		if e.Weak != tt.weak || !strings.Contains(e.Reason, tt.reason) {
			t.Errorf("%s: weak %v, %q", tt.name, e.Weak, e.Reason)
		}
	}
}

// TestVirtualNamesAreAsWideAsUnknown: the machine may be newer than its name.
func TestVirtualNamesAreAsWideAsUnknown(t *testing.T) {
	u := Unknown()
	for _, name := range []string{"AMD EPYC-Rome Processor", "Intel Xeon Processor (Icelake)", "Westmere E56xx/L56xx/X56xx (Nehalem-C)"} {
		e, _ := Of(name, 0)
		if e.Low.Busy > u.Low.Busy || e.Low.Idle > u.Low.Idle || e.High.Busy < u.High.Busy || e.High.Idle < u.High.Idle {
			t.Errorf("%s: %+v to %+v is narrower than what is not known", name, e.Low, e.High)
		}
	}
}

// TestTableIsWhole: each number of the table is one, and each row is of a family that names lead to.
func TestTableIsWhole(t *testing.T) {
	table := shipped()
	known := map[string]bool{Any: true}
	for _, f := range families() {
		known[f.name] = true
	}
	for key, row := range table.rows {
		if !known[row.Family] {
			t.Errorf("no name leads to the family %q", row.Family)
		}
		if row.Servers < 4 || row.From > row.To {
			t.Errorf("%s: %d servers from %s to %s", key, row.Servers, row.From, row.To)
		}
		for _, l := range []Level{row.Busy, row.Idle} {
			if !(0 < l.Low && l.Low <= l.Q1 && l.Q1 <= l.Median && l.Median <= l.Q3 && l.Q3 <= l.High) {
				t.Errorf("%s: %+v is in no order", key, l)
			}
		}
		if row.Per != PerPackage && row.Idle.Median >= row.Busy.Median {
			t.Errorf("%s: idle draws as much as busy", key)
		}
	}
	for key, m := range table.models {
		if !known[key[0]] || m.TDP <= 0 || m.Threads < 0 {
			t.Errorf("%s: %+v", key, m)
		}
	}
}

// TestIdleIsLessThanBusy: of every model, with as many threads as any machine may say.
func TestIdleIsLessThanBusy(t *testing.T) {
	table := shipped()
	for key := range table.models {
		for _, threads := range []int{0, 1, 2, 4, 8, 16, 32, 64, 128, 256} {
			e, ok := table.of(Name{Family: key[0], Model: key[1]}, threads)
			if !ok {
				continue
			}
			if e.Watts.Idle > e.Watts.Busy || e.Low.Idle > e.Low.Busy || e.High.Idle > e.High.Busy {
				t.Errorf("%s with %d threads draws %+v, %+v to %+v", key, threads, e.Watts, e.Low, e.High)
			}
		}
	}
}

// TestSmallerModels: in a family, a model of half the threads and the same thermal design power draws
// twice as much a thread; one of less thermal design power draws less when busy and the same when idle.
func TestSmallerModels(t *testing.T) {
	of := func(name string) usage.BusyIdle[usage.Watts] {
		e, ok := Of(name, 0)
		if !ok {
			t.Fatal(name)
		}
		return e.Watts
	}
	full, half := of("AMD EPYC 9754 128-Core Processor"), of("AMD EPYC 9554 64-Core Processor") // 360 W both
	if math.Abs(float64(half.Busy/full.Busy)-2) > 1e-9 || math.Abs(float64(half.Idle/full.Idle)-2) > 1e-9 {
		t.Errorf("64 cores draw %+v a thread, 128 cores %+v", half, full)
	}
	if cool := of("AMD EPYC 9534 64-Core Processor"); cool.Busy >= half.Busy || cool.Idle != half.Idle { // 280 W
		t.Errorf("of 64 cores those of 280 W draw %+v, those of 360 W %+v", cool, half)
	}
}

func TestReadRefusesWhatIsNoTable(t *testing.T) {
	header, models := strings.Join(Header, ",")+"\n", strings.Join(ModelsHeader, ",")+"\n"
	for name, tt := range map[string]struct{ watts, models, want string }{
		"no line":               {"", models, "the first line must be family,per"},
		"another table":         {"a,b\n", models, "the first line must be family,per"},
		"no number":             {header + "f,thread,many,,,1,1,1,1,1,1,1,1,1,1\n", models, "line 2: servers"},
		"no models":             {header, "", "the first line must be family,model"},
		"nothing on the others": {header, models, "there is no row of watts per thread"},
	} {
		if _, err := Read(strings.NewReader(tt.watts), strings.NewReader(tt.models)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, name := range []string{
		"AMD EPYC 9354 32-Core Processor", "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "Intel Xeon Processor (Skylake, IBRS)",
		"", "\x00\xff", "epyc 9354 99999999999999999999-core", "epyc 9354 -5-core", "Neoverse-N1",
	} {
		f.Add(name, 64)
	}
	f.Fuzz(func(t *testing.T, name string, threads int) {
		e, ok := Of(name, threads)
		if !ok {
			return
		}
		for _, w := range [][3]usage.Watts{{e.Low.Busy, e.Watts.Busy, e.High.Busy}, {e.Low.Idle, e.Watts.Idle, e.High.Idle}} {
			if !(0 < w[0] && w[0] <= w[1] && w[1] <= w[2] && !math.IsInf(float64(w[2]), 0)) {
				t.Errorf("%q of %d threads: %v are no bounds", name, threads, w)
			}
		}
		if e.Family == "" || e.Reason == "" || e.Servers == 0 {
			t.Errorf("%q: %+v", name, e)
		}
	})
}
