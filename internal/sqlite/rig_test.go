// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// schemaOf has a table of numbers, and as many further migrations as asked for.
func schemaOf(more int) Schema {
	files := fstest.MapFS{"0001_number.sql": {Data: []byte("CREATE TABLE number (n INTEGER PRIMARY KEY, filler BLOB);")}}
	for n := range more {
		files[fmt.Sprintf("%04d_more.sql", n+2)] = &fstest.MapFile{Data: []byte(fmt.Sprintf("CREATE TABLE more%d (n INTEGER);", n))}
	}
	return Schema{Program: "counter", ApplicationID: 0x636e7472, Migrations: files}
}

func open(tb testing.TB, path string, exclusive bool) *DB {
	tb.Helper()
	d, err := Open(context.Background(), path, schemaOf(0), Options{Exclusive: exclusive})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { d.Close() })
	return d
}

// add writes a number and so many bytes.
func add(d *DB, n, filler int) error {
	return d.Write(context.Background(), func(tx *Tx) error {
		_, err := tx.Exec("INSERT INTO number VALUES (?, zeroblob(?))", n, filler)
		return err
	})
}

func adds(tb testing.TB, d *DB, numbers ...int) {
	tb.Helper()
	for _, n := range numbers {
		if err := add(d, n, 100); err != nil {
			tb.Fatal(err)
		}
	}
}

// numbers gives what is in a database, "1 2 3".
func numbers(tb testing.TB, d *DB) string {
	tb.Helper()
	var all []string
	err := d.Read(context.Background(), func(tx *Tx) error {
		return Each(context.Background(), tx, "SELECT n FROM number ORDER BY n", nil, func(rows *sql.Rows) error {
			var n string
			err := rows.Scan(&n)
			all = append(all, n)
			return err
		})
	})
	if err != nil {
		tb.Fatal(err)
	}
	return strings.Join(all, " ")
}

// madeWith gives the path of a database with some numbers that nobody has open.
func madeWith(tb testing.TB, dir string, n ...int) string {
	tb.Helper()
	path := filepath.Join(dir, "numbers.db")
	d := open(tb, path, true)
	adds(tb, d, n...)
	if err := d.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

func copyFile(tb testing.TB, from, to string) {
	tb.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o640); err != nil {
		tb.Fatal(err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// child is what this binary, run a second time, does: the name of one of children,
// a colon, and a path.
const child = "SQLITE_TEST_CHILD"

var children = map[string]func(path string) error{
	// hold opens for itself and stays; add opens beside others and writes a 9; read
	// says which numbers there are. Killed, hold leaves a log.
	"hold": func(path string) error {
		d, err := Open(context.Background(), path, schemaOf(0), Options{Exclusive: true})
		if err != nil {
			return err
		}
		if err := add(d, 7, 100); err != nil {
			return err
		}
		fmt.Println("holds")
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	},
	"own": func(path string) error {
		d, err := Open(context.Background(), path, schemaOf(0), Options{Exclusive: true})
		if err != nil {
			return err
		}
		return d.Close()
	},
	"add": func(path string) error {
		d, err := Open(context.Background(), path, schemaOf(0), Options{})
		if err != nil {
			return err
		}
		if err := add(d, 9, 100); err != nil {
			return err
		}
		return d.Close()
	},
	"ask for SQLite's lock": func(path string) error {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		defer f.Close()
		l := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart, Start: 0x40000002, Len: 510}
		if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &l); err != nil {
			return err
		}
		fmt.Println(map[bool]string{true: "is free", false: "is held"}[l.Type == syscall.F_UNLCK])
		return nil
	},
	"read": func(path string) error {
		d, err := OpenToRead(context.Background(), path, schemaOf(0), false)
		if err != nil {
			return err
		}
		rows, err := d.Reader().Query("SELECT n FROM number ORDER BY n")
		if err != nil {
			return err
		}
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				return err
			}
			fmt.Print(n, " ")
		}
		return d.Close()
	},
}

func TestMain(m *testing.M) {
	if what, path, ok := strings.Cut(os.Getenv(child), ":"); ok {
		if err := children[what](path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func command(tb testing.TB, what, path string) *exec.Cmd {
	tb.Helper()
	self, err := os.Executable()
	must(tb, err)
	c := exec.Command(self)
	c.Env = append(os.Environ(), child+"="+what+":"+path)
	return c
}

// says is what a child says, and whether all went well.
func says(tb testing.TB, what, path string) (string, bool) {
	tb.Helper()
	out, err := command(tb, what, path).Output()
	return strings.TrimSpace(string(out)), err == nil
}

// holding starts a child that holds a database until it is killed or let go.
func holding(tb testing.TB, path string) (kill, letGo func()) {
	tb.Helper()
	c := command(tb, "hold", path)
	in, err := c.StdinPipe()
	must(tb, err)
	out, err := c.StdoutPipe()
	must(tb, err)
	must(tb, c.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "holds\n" {
		tb.Fatalf("the child says %q, %v", line, err)
	}
	ended := false
	end := func(how func()) func() {
		return func() {
			if !ended {
				ended = true
				how()
				c.Wait() //nolint:errcheck // it was killed
			}
		}
	}
	kill = end(func() { c.Process.Kill() })
	tb.Cleanup(kill)
	return kill, end(func() { in.Close() })
}

// asNobody makes a child an ordinary user, if this is root, whom no permission stops.
func asNobody(c *exec.Cmd) *exec.Cmd {
	if os.Getuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	return c
}
