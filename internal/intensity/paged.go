package intensity

import (
	"context"
	"encoding/json"
)

// maxPages bounds how often one question is gone on with.
const maxPages = 100

// page is a part of a list: its rows, and how many the whole list has; 0: it does not say.
type page struct {
	rows  []json.RawMessage
	total int
}

// allPages gets the rows of a list, page by page: address says where the one is that begins after
// so many rows. whole is whether all came that the list has.
func allPages(ctx context.Context, get Get, address func(offset int) string, read func([]byte) (page, error)) (rows []json.RawMessage, whole bool, err error) {
	for range maxPages {
		text, err := get(ctx, address(len(rows)), nil)
		if err != nil {
			return nil, false, err
		}
		p, err := read(text)
		if err != nil {
			return nil, false, err
		}
		rows = append(rows, p.rows...)
		if len(rows) >= p.total {
			return rows, true, nil
		}
		if len(p.rows) == 0 {
			return rows, false, nil
		}
	}
	return rows, false, nil
}
