// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// The longest names that are kept as they are, in bytes. The name of a project, machine type,
// user or group is on dozens of lines of /metrics, so this bounds a scrape. A host may be a
// whole DNS name with its port, and is on few lines.
const (
	MaxName = 128
	MaxHost = 272
)

// Name returns a name as a label value: see bounded.
func Name(v string) string { return bounded(v, MaxName) }

// HostLabel returns a host's name as a label value: see bounded.
func HostLabel(v string) string { return bounded(v, MaxHost) }

// bounded returns a value as it is, unless it is longer than most bytes, is not UTF-8 or
// contains a NUL, which ends a string in C. Such a value is cut and repaired, with a hash of
// the original at its end, so that two values never become one.
func bounded(v string, most int) string {
	if len(v) <= most && utf8.ValidString(v) && !strings.ContainsRune(v, 0) {
		return v
	}
	hash := sha256.Sum256([]byte(v))
	mended := strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", "\uFFFD")
	if len(mended) > most {
		end := most
		for !utf8.RuneStart(mended[end]) {
			end--
		}
		mended = mended[:end]
	}
	return mended + "#" + hex.EncodeToString(hash[:8])
}
