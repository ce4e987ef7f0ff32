// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
)

// maxPages bounds how often one question is gone on with.
const maxPages = 100

// page is a part of a list: its rows, and how many the whole list has; below 0: it does not
// say.
type page struct {
	rows  []json.RawMessage
	total int
}

// allPages gets the rows of a list, page by page: address says where the one is that begins after
// so many rows, and a page has at most so many. whole is whether all came that the list has.
func allPages(ctx context.Context, get Get, most int, address func(offset int) string, read func([]byte) (page, error)) (rows []json.RawMessage, whole bool, err error) {
	for range maxPages {
		text, err := get(ctx, address(len(rows)), nil)
		if err != nil {
			return nil, false, err
		}
		p, err := read(text)
		if err != nil {
			return nil, false, err
		}
		if startsAgain(rows, p.rows) { // it does not know how to go on
			return rows, false, nil
		}
		rows = append(rows, p.rows...)
		switch {
		case p.total >= 0 && len(rows) >= p.total, p.total < 0 && len(p.rows) < most:
			return rows, true, nil
		case len(p.rows) == 0:
			return rows, false, nil
		}
	}
	return rows, false, nil
}

// startsAgain reports whether a page is the first one again.
func startsAgain(rows, more []json.RawMessage) bool {
	return len(rows) > 0 && len(more) > 0 && len(more[0]) > 0 && bytes.Equal(rows[0], more[0])
}

// totalOf reads how many rows a list has; -1: it does not say.
func totalOf(raw json.RawMessage) int {
	if total, err := strconv.Atoi(wordOf(raw)); err == nil && total >= 0 {
		return total
	}
	return -1
}
