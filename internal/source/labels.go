package source

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// maxLabelBytes is the longest label value that is kept as it is.
const maxLabelBytes = 1024

// clean leaves a value as it is, unless it is too long, not UTF-8 or holds a
// NUL, which C strings end at. Then it is cut and mended, with a hash of the
// original behind it, so that two values never become one.
func clean(v string) string {
	if len(v) <= maxLabelBytes && utf8.ValidString(v) && !strings.ContainsRune(v, 0) {
		return v
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
	return mended + "#" + hex.EncodeToString(hash[:8])
}
