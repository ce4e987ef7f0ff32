// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ukSlot is a slot in the API's format. Anything in it may be missing, null or of another type
// without spoiling the other slots.
type ukSlot struct {
	From      json.RawMessage `json:"from"`
	To        json.RawMessage `json:"to"`
	Intensity json.RawMessage `json:"intensity"`
}

// choose returns the slots that begin in the span, in order of time. Of slots with the same
// start the last wins. Slots without a number are left out: the API lists slots before it has
// their numbers. An answer without any usable slot is an error: all were refused, or none is in
// the span.
func choose(raw []json.RawMessage, s span, regional bool) ([]usage.Slot, usage.Rejects, error) {
	byStart := map[time.Time]usage.Slot{}
	rejects := usage.Rejects{}
	usable := false
	for _, r := range raw {
		slot, reason := read(r, s, regional)
		switch {
		case reason != "":
			rejects[reason]++
			continue
		case slot.From.IsZero():
			continue
		}
		usable = true
		if slot.Forecast == nil && slot.Actual == nil {
			continue
		}
		if _, ok := byStart[slot.From]; ok {
			rejects[RejectDuplicate]++
		}
		byStart[slot.From] = slot
	}
	if !usable {
		return nil, rejects, nothingUsable(len(raw), rejects)
	}
	return slices.SortedFunc(maps.Values(byStart), func(a, b usage.Slot) int { return a.From.Compare(b.From) }), rejects, nil
}

func nothingUsable(slots int, rejects usage.Rejects) error {
	refused := 0
	var reasons []string
	for _, reason := range slices.Sorted(maps.Keys(rejects)) {
		refused += rejects[reason]
		reasons = append(reasons, fmt.Sprintf("%d %s", rejects[reason], reason))
	}
	if other := slots - refused; other > 0 {
		reasons = append(reasons, fmt.Sprintf("%d of another time than requested", other))
	}
	return malformed(nil, "none of the %d slots of the answer can be used: %s", slots, strings.Join(reasons, ", "))
}

// read returns one slot, or why it is refused. A slot outside the span is returned empty.
func read(raw json.RawMessage, s span, regional bool) (slot usage.Slot, reason string) {
	var in ukSlot
	if json.Unmarshal(raw, &in) != nil {
		return slot, RejectTime
	}
	from, err := readTime(in.From)
	if err != nil {
		return slot, RejectTime
	}
	if from.Before(s.from) || !from.Before(s.to) {
		return slot, ""
	}
	to, err := readTime(in.To)
	if err != nil || !from.Equal(usage.SlotAt(from)) {
		return slot, RejectTime
	}
	if to.Sub(from) != usage.SlotLength {
		return slot, RejectSlotLength
	}
	slot.From = from
	if readIntensity(in.Intensity, &slot, regional) != nil {
		return slot, RejectValue
	}
	return slot, ""
}

// readTime reads a time in UTC, in which the API has all times.
func readTime(raw json.RawMessage) (time.Time, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, err
	}
	at, err := readZoned(text)
	if err == nil && !strings.HasSuffix(text, "Z") && !strings.HasSuffix(text, "+00:00") {
		err = errors.New("the time is not in UTC")
	}
	return at, err
}

// readIntensity reads the numbers and the API's own rating of them.
func readIntensity(raw json.RawMessage, slot *usage.Slot, regional bool) (err error) {
	var in struct {
		Forecast json.RawMessage `json:"forecast"`
		Actual   json.RawMessage `json:"actual"`
		Index    json.RawMessage `json:"index"`
	}
	if len(raw) == 0 {
		return nil
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	if slot.Forecast, err = readValue(in.Forecast); err != nil {
		return err
	}
	if !regional { // regions have no actual, whatever an answer says
		if slot.Actual, err = readValue(in.Actual); err != nil {
			return err
		}
	}
	slot.Index = readWord(in.Index)
	return nil
}

// longestWord is about three times as long as the API's longest rating, "very high".
const longestWord = 32

// readWord returns "" for a rating that is unfit for a page or a label. The slot counts either
// way.
func readWord(raw json.RawMessage) string {
	var word string
	if json.Unmarshal(raw, &word) != nil || len(word) > longestWord {
		return ""
	}
	for _, r := range word {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return ""
		}
	}
	return strings.TrimSpace(word)
}

// maxUK is above the dirtiest half hour that Great Britain ever had.
const maxUK = 1000

// readValue returns nil for null and for a missing value.
func readValue(raw json.RawMessage) (*usage.GramsPerKWh, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var v *usage.GramsPerKWh
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v != nil && (*v < 0 || *v > maxUK) {
		return nil, errors.New("out of range")
	}
	return v, nil
}
