package store

import (
	"context"
	"fmt"
	"os"

	"github.com/carbon-exporter/carbon_exporter/internal/newfile"
	"github.com/carbon-exporter/carbon_exporter/internal/sqlite"
)

// Backup copies the store at path to target as it is at one moment, also while an
// exporter writes to it, and returns the size of the copy. The copy is one file,
// without a write-ahead log and without free pages, and it is read back whole before
// it gets its name. A target that exists is refused. Whatever ends the copying early,
// no file has that name. Progress, if it is not nil, is told now and then how many
// bytes of about how many are written.
func Backup(ctx context.Context, path, target string, progress func(done, about int64)) (size int64, err error) {
	file, err := openFileToRead(ctx, path, true)
	if err != nil {
		return 0, fmt.Errorf("copy store: %w", err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	if size, err = copyTo(ctx, file, target, progress); err != nil {
		return 0, fmt.Errorf("copy store to %s: %w", target, err)
	}
	return size, nil
}

func copyTo(ctx context.Context, file *sqlite.DB, target string, progress func(done, about int64)) (size int64, err error) {
	info, err := os.Stat(file.Path())
	if err != nil {
		return 0, err
	}
	partial, err := newfile.Reserve(target, info.Mode().Perm()|0o600) // also where the store must not be written
	if err != nil {
		return 0, err
	}
	if err := file.CopyTo(ctx, partial, progress); err != nil {
		newfile.Abandon(partial)
		return 0, err
	}
	return newfile.Finish(partial, target)
}
