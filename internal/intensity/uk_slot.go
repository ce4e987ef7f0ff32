package intensity

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// ukSlot is a slot as the API has it. Everything may be missing, null or of
// another type in one slot without a word about its neighbours.
type ukSlot struct {
	From      json.RawMessage `json:"from"`
	To        json.RawMessage `json:"to"`
	Intensity json.RawMessage `json:"intensity"`
}

// choose reads the slots that begin in the span, in order of time. Of slots
// with the same start the last wins. Slots of which nothing is known are left
// out; they are no fault of the API, which lists them before it has numbers.
func choose(raw []json.RawMessage, s span, regional bool) ([]usage.Slot, usage.Rejects) {
	byStart := map[time.Time]usage.Slot{}
	rejects := usage.Rejects{}
	for _, r := range raw {
		slot, reason := read(r, s, regional)
		switch {
		case reason != "":
			rejects[reason]++
			continue
		case slot.Forecast == nil && slot.Actual == nil:
			continue
		}
		if _, ok := byStart[slot.From]; ok {
			rejects[RejectDuplicate]++
		}
		byStart[slot.From] = slot
	}
	return slices.SortedFunc(maps.Values(byStart), func(a, b usage.Slot) int { return a.From.Compare(b.From) }), rejects
}

// read gives one slot, or why it is refused. A slot outside of the span is
// nobody's business and comes back empty.
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

// readTime needs no length check of its own: the layout has none to spare.
func readTime(raw json.RawMessage) (time.Time, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, err
	}
	return time.Parse(ukTime, text)
}

// readIntensity fills in the numbers and the API's own word for them.
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
	if !regional { // regions have no actual, whatever an answer may hold
		if slot.Actual, err = readValue(in.Actual); err != nil {
			return err
		}
	}
	slot.Index = readWord(in.Index)
	return nil
}

// longestWord is three times the longest that the API has, "very high".
const longestWord = 32

// readWord is empty for what is not a word to put on a page or into a label. A
// slot is worth its numbers, with or without one.
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

// readValue is nil for null and for nothing at all.
func readValue(raw json.RawMessage) (*usage.GramsPerKWh, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var v *usage.GramsPerKWh
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, err
	}
	if v != nil && (*v < 0 || *v > usage.MaxIntensity) {
		return nil, errors.New("out of range")
	}
	return v, nil
}
