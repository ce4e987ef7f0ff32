// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

const (
	recordBytes = 4*8 + usualCount*usage.SumBytes
	moreBytes   = 8 + (sumCount-usualCount)*usage.SumBytes
)

// decodeMore adds the sums that few keys have.
func (t totals) decodeMore(blob []byte) error {
	if len(blob)%moreBytes != 0 {
		return fmt.Errorf("more sums: %d bytes is not a whole number of records", len(blob))
	}
	for ; len(blob) > 0; blob = blob[moreBytes:] {
		id := int64(binary.BigEndian.Uint64(blob))
		r := t[id]
		if r == nil {
			return fmt.Errorf("more sums: key %d has no others", id)
		}
		for j := usualCount; j < sumCount; j++ {
			r.sums.of(j).AddSum(usage.SumFrom(blob[8+(j-usualCount)*usage.SumBytes:]))
		}
	}
	return nil
}

// decode adds the records of a value.
func (t totals) decode(blob []byte) error {
	if len(blob)%recordBytes != 0 {
		return fmt.Errorf("sums: %d bytes is not a whole number of records", len(blob))
	}
	var fresh []keyTotals // for new keys, in one allocation
	for ; len(blob) > 0; blob = blob[recordBytes:] {
		id := int64(binary.BigEndian.Uint64(blob))
		r := t[id]
		isNew := r == nil
		if isNew {
			if len(fresh) == cap(fresh) {
				fresh = make([]keyTotals, 0, len(blob)/recordBytes)
			}
			fresh = append(fresh, keyTotals{})
			r = &fresh[len(fresh)-1]
			t[id] = r
		}
		r.rows += int64(binary.BigEndian.Uint64(blob[8:]))
		r.priced += int64(binary.BigEndian.Uint64(blob[16:]))
		r.last = max(r.last, int64(binary.BigEndian.Uint64(blob[24:])))
		sums := blob[32:recordBytes]
		for j := range r.sums.usual {
			sum := usage.SumFrom(sums[j*usage.SumBytes:])
			if isNew {
				r.sums.usual[j] = sum
			} else {
				r.sums.usual[j].AddSum(sum)
			}
		}
	}
	return nil
}

// encode returns both values; more is nil if no key has any.
func (t totals) encode() (usual, more []byte) {
	ids, others := make([]int64, 0, len(t)), 0
	for id, r := range t {
		if r.rows > 0 {
			ids = append(ids, id)
			if r.hasMore() {
				others++
			}
		}
	}
	slices.Sort(ids)
	usual = make([]byte, 0, len(ids)*recordBytes)
	if others > 0 {
		more = make([]byte, 0, others*moreBytes)
	}
	for _, id := range ids {
		r := t[id]
		for _, n := range [...]int64{id, r.rows, r.priced, r.last} {
			usual = binary.BigEndian.AppendUint64(usual, uint64(n))
		}
		for j := range r.sums.usual {
			usual = r.sums.usual[j].AppendBinary(usual)
		}
		if r.hasMore() {
			more = binary.BigEndian.AppendUint64(more, uint64(id))
			for j := range r.sums.rare {
				more = r.sums.rare[j].AppendBinary(more)
			}
		}
	}
	return usual, more
}

func (r *keyTotals) hasMore() bool {
	return r.sums.rare != nil && *r.sums.rare != [sumCount - usualCount]usage.Sum{}
}
