// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package lake

import (
	"io"
	"testing"
)

func BenchmarkWrite(b *testing.B) {
	facts := someFacts(rowsPerGroup)
	b.ReportAllocs()
	for b.Loop() {
		w := NewWriter[Fact](io.Discard)
		if err := w.Write(facts); err != nil {
			b.Fatal(err)
		}
		o, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(o.Bytes)/float64(o.Rows), "bytes/row")
	}
}
