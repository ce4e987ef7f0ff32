package first_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal is a terminal of the kernel's own, and the end from which it is typed on.
func openTerminal(t *testing.T) (terminal, keyboard *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	fd := int(keyboard.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, keyboard
}

func TestInitOnATerminal(t *testing.T) {
	url := cloud(t, nodes("node", 6, tenants)...)
	for _, test := range []struct {
		name, typed string
		code        int
		file        []string // what the file has; none: there is no file
		says        string
	}{
		{
			"Enter to everything", "\n\n\n\n\n", 0,
			[]string{"    project: tenant\n", "    machine: flavor\n", "  provider: uk\n", "timezone: Europe/Paris\n"},
			"Write carbon.yml? [yes]: ",
		},
		{
			"answers of its own", "none of them\nflavor\n56,FR\nUTC\nyes\n", 0,
			[]string{"# project: cloud_project_name\n", "    machine: flavor\n", "    gco2eq_per_kwh: 56\n", "    grid: FR\n", "timezone: UTC\n"},
			"WARNING: no label names the project",
		},
		{"no", "\n\n\n\nno\n", 1, nil, "carbontool init: the answer was not yes, nothing was written\n"},
		{"the terminal is closed", "\n\x04", 1, nil, "carbontool init: no answer, nothing was written\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			terminal, keyboard := openTerminal(t)
			if _, err := keyboard.WriteString(test.typed); err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			var stdout, stderr bytes.Buffer
			cmd := program("carbontool", "init", "--prometheus="+url)
			cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, terminal, &stdout, &stderr
			cmd.Env = append(os.Environ(), "TZ=Europe/Paris")
			_ = cmd.Run() // its outcome is in ProcessState
			if code := cmd.ProcessState.ExitCode(); code != test.code || !strings.Contains(stderr.String(), test.says) {
				t.Errorf("exit code %d\n%s", code, stderr.String())
			}
			text, err := os.ReadFile(filepath.Join(dir, "carbon.yml"))
			if (err == nil) != (test.file != nil) {
				t.Errorf("the file: %v", err)
			}
			for _, want := range test.file {
				if !strings.Contains(string(text), want) {
					t.Errorf("the file lacks %q:\n%s", want, text)
				}
			}
			if strings.Contains(stderr.String(), "ASSUMED") || strings.Contains(string(text), "ASSUMED") {
				t.Error("the grid is assumed, although it was asked for")
			}
		})
	}
}
