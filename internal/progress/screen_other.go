//go:build !unix

package progress

// Screen says that no stream is a terminal: plain lines are right everywhere.
func Screen(any) (columns int, redraws bool) { return 0, false }

// Terminal says whether a stream is known to be a terminal.
func Terminal(any) bool { return false }
