// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package ingest

import (
	"fmt"
	"slices"

	"github.com/carbon-exporter/carbon_exporter/internal/directory"
)

// refusedRecords says which rows of a directory were refused, once until that changes. Records
// without a place that a person could look at are only counted: see DirectoryObserver.
func (l *librarian) refusedRecords(rejects []directory.RecordReject) {
	rejects = slices.DeleteFunc(slices.Clone(rejects), func(r directory.RecordReject) bool { return r.Where == "" })
	said := fmt.Sprint(rejects)
	if was := l.book.refused.Swap(&said); was != nil && *was == said || was == nil && len(rejects) == 0 {
		return
	}
	if len(rejects) == 0 {
		l.log.Info("No row of the directory is refused any more")
	}
	for _, r := range rejects {
		l.log.Warn("Rows of the directory are refused: their hosts stay as last known", "reason", r.Reason, "first", r.Where, "rows", r.Count)
	}
}
