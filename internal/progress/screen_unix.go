//go:build unix

package progress

import (
	"os"

	"golang.org/x/sys/unix"
)

// Screen says how many columns a stream's terminal has, 0 if it does not say,
// and whether a line can be redrawn there: not in a pipe or file, and not where
// TERM says that the terminal is dumb.
func Screen(stream any) (columns int, redraws bool) {
	columns, terminal := winsize(stream)
	return columns, terminal && os.Getenv("TERM") != "dumb"
}

// Terminal says whether a stream is a terminal: whether somebody is there.
func Terminal(stream any) bool {
	_, terminal := winsize(stream)
	return terminal
}

func winsize(stream any) (columns int, terminal bool) {
	file, ok := stream.(*os.File)
	if !ok {
		return 0, false
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, false
	}
	// Only a terminal answers.
	if controlErr := raw.Control(func(fd uintptr) {
		var size *unix.Winsize
		if size, err = unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ); err == nil {
			columns = int(size.Col)
		}
	}); controlErr != nil || err != nil {
		return 0, false
	}
	return columns, true
}
