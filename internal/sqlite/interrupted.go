// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import sqlite3 "modernc.org/sqlite/lib"

// Interrupted reports whether a query was ended because its context has.
func Interrupted(err error) bool { return hasCode(err, sqlite3.SQLITE_INTERRUPT) }
