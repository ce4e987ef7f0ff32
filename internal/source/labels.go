package source

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// maxLabelBytes is the longest label value that is kept as it is.
const maxLabelBytes = 1024

// sanitizer makes label values fit to be stored and served. It remembers what
// it made: there are few values and many series.
type sanitizer map[string]string

func newSanitizer() sanitizer { return sanitizer{} }

// name is clean, and "unknown" for a label that is not there.
func (s sanitizer) name(v string) string {
	if v == "" {
		return usage.Unknown
	}
	return s.clean(v)
}

// clean leaves a value as it is, unless it is too long, not UTF-8 or holds a
// NUL, which C strings end at. Then it is cut and mended, with a hash of the
// original behind it, so that two values never become one.
func (s sanitizer) clean(v string) string {
	if len(v) <= maxLabelBytes && utf8.ValidString(v) && !strings.ContainsRune(v, 0) {
		return v
	}
	if done, ok := s[v]; ok {
		return done
	}
	hash := sha256.Sum256([]byte(v))
	mended := strings.ReplaceAll(strings.ToValidUTF8(v, "\uFFFD"), "\x00", "\uFFFD")
	if len(mended) > maxLabelBytes {
		end := maxLabelBytes
		for !utf8.RuneStart(mended[end]) {
			end--
		}
		mended = mended[:end]
	}
	mended += "#" + hex.EncodeToString(hash[:8])
	s[v] = mended
	return mended
}
