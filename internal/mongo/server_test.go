// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongo

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// server speaks MongoDB's wire protocol and answers commands as it is told to:
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
type server struct {
	answer func(command bson.Raw) bson.D
}

// start gives the server's host and port.
func (s *server) start(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return l.Addr().String()
}

func (s *server) serve(conn net.Conn) {
	defer conn.Close()
	for {
		head := make([]byte, 16)
		if _, err := io.ReadFull(conn, head); err != nil {
			return
		}
		body := make([]byte, binary.LittleEndian.Uint32(head)-16)
		if _, err := io.ReadFull(conn, body); err != nil {
			return
		}
		var reply []byte
		switch binary.LittleEndian.Uint32(head[12:]) {
		case 2004: // OP_QUERY: a greeting
			reply = message(1, head[4:8], append(make([]byte, 16), 1, 0, 0, 0), hello)
		case 2013: // OP_MSG
			command := bson.Raw(body[5:])
			command = command[:binary.LittleEndian.Uint32(command)]
			answer := hello
			if first := command.Index(0).Key(); first != "hello" && first != "isMaster" && first != "ismaster" {
				answer = s.answer(command)
			}
			reply = message(2013, head[4:8], []byte{0, 0, 0, 0, 0}, answer)
		default:
			return
		}
		if _, err := conn.Write(reply); err != nil {
			return
		}
	}
}

var hello = bson.D{
	{Key: "ok", Value: 1.0},
	{Key: "helloOk", Value: true},
	{Key: "isWritablePrimary", Value: true},
	{Key: "msg", Value: "isdbgrid"},
	{Key: "maxBsonObjectSize", Value: 16 << 20},
	{Key: "maxMessageSizeBytes", Value: 48 << 20},
	{Key: "maxWriteBatchSize", Value: 100_000},
	{Key: "minWireVersion", Value: 0},
	{Key: "maxWireVersion", Value: 21},
}

func message(op uint32, to, before []byte, doc bson.D) []byte {
	raw, err := bson.Marshal(doc)
	if err != nil {
		panic(err)
	}
	m := make([]byte, 16, 16+len(before)+len(raw))
	copy(m[8:12], to)
	binary.LittleEndian.PutUint32(m[12:], op)
	m = append(append(m, before...), raw...)
	binary.LittleEndian.PutUint32(m, uint32(len(m)))
	return m
}

func refusal(code int32, name, text string) bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: text}, {Key: "code", Value: code}, {Key: "codeName", Value: name}}
}

// batchOf is an answer to find or getMore.
func batchOf(command bson.Raw, id int64, docs ...bson.D) bson.D {
	docs = append([]bson.D{}, docs...) // an empty list, not null
	name := "firstBatch"
	if command.Index(0).Key() == "getMore" {
		name = "nextBatch"
	}
	return bson.D{{Key: "ok", Value: 1.0}, {Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: "ada.users"}, {Key: name, Value: docs}}}}
}

func readerOf(t *testing.T, address, userinfo, options string) *Reader {
	t.Helper()
	r, err := Open(Options{URI: "mongodb://" + userinfo + address + "/" + options, Database: "ada", AppName: "test", Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// read reads one collection to its end.
func read(t *testing.T, r *Reader) (int, error) {
	t.Helper()
	n := 0
	for _, err := range r.Find(t.Context(), "users", Find{BatchSize: 2}) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func TestErrorsQuoteNothingOfTheServer(t *testing.T) {
	const name = "ada.lovelace@example.org"
	huge := "E11000 duplicate key error collection: ada.users dup key: { mail: \"" + name + "\" } hunter2 " + strings.Repeat(name+" ", 500_000)
	refuse := func(commands ...string) *server {
		return &server{answer: func(command bson.Raw) bson.D {
			switch first := command.Index(0).Key(); {
			case slices.Contains(commands, first):
				return refusal(11000, "hunter2", huge)
			case first == "update":
				return bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 0}, {Key: "writeErrors", Value: bson.A{
					bson.D{{Key: "index", Value: 0}, {Key: "code", Value: 11000}, {Key: "errmsg", Value: huge}, {Key: "keyValue", Value: bson.D{{Key: "mail", Value: name}}}},
					bson.D{{Key: "index", Value: 1}, {Key: "code", Value: 77777}, {Key: "errmsg", Value: name}},
				}}}
			case first == "delete":
				return bson.D{{Key: "ok", Value: 1.0}, {Key: "n", Value: 0}, {Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 64}, {Key: "codeName", Value: "hunter2"}, {Key: "errmsg", Value: huge}}}}
			case first == "find":
				return batchOf(command, 7, bson.D{{Key: "_id", Value: 1}})
			}
			return bson.D{{Key: "ok", Value: 1.0}}
		}}
	}
	posted := usage.Rollup{Interval: usage.IntervalAt(time.Unix(1_782_864_000, 0), usage.SlotLength), Groups: []usage.RollupMember{{Name: "a"}, {Name: "b"}}}
	tests := []struct {
		name string
		try  func(t *testing.T) error
		want string
	}{
		{"find", func(t *testing.T) error {
			_, err := read(t, readerOf(t, refuse("find").start(t), "", ""))
			return err
		}, "find users: server_error: the server refused: code 11000 (DuplicateKey)"},
		{"getMore", func(t *testing.T) error {
			_, err := read(t, readerOf(t, refuse("getMore").start(t), "", ""))
			return err
		}, "find users: server_error: the server refused: code 11000 (DuplicateKey)"},
		{"count", func(t *testing.T) error {
			_, err := readerOf(t, refuse("aggregate", "count").start(t), "", "").Count(t.Context(), "users", nil, nil)
			return err
		}, "count users: server_error: the server refused: code 11000 (DuplicateKey)"},
		{"authentication", func(t *testing.T) error {
			return readerOf(t, refuse("saslStart", "authenticate").start(t), "reader:hunter2@", "?authMechanism=PLAIN&authSource=%24external").Ping(t.Context())
		}, "ping: auth: authentication failed: the server refused: code 11000 (DuplicateKey)"},
		{"a bulk of writes", func(t *testing.T) error {
			w, err := OpenWriter(Options{URI: "mongodb://" + refuse().start(t), Database: "usage", Timeout: 30 * time.Second})
			if err != nil {
				return err
			}
			t.Cleanup(func() { w.Close() })
			return w.Write(t.Context(), []usage.Rollup{posted})
		}, "write group_usage: server_error: the server refused: code 11000 (DuplicateKey), code 77777"},
		{"a concern of writes", func(t *testing.T) error {
			w, err := OpenWriter(Options{URI: "mongodb://" + refuse().start(t), Database: "usage", Timeout: 30 * time.Second})
			if err != nil {
				return err
			}
			t.Cleanup(func() { w.Close() })
			return w.Write(t.Context(), []usage.Rollup{{Interval: posted.Interval}})
		}, "write group_usage: server_error: the server refused: code 64 (WriteConcernTimeout)"},
		{"an index", func(t *testing.T) error {
			w, err := OpenWriter(Options{URI: "mongodb://" + refuse("createIndexes").start(t), Database: "usage", Timeout: 30 * time.Second})
			if err != nil {
				return err
			}
			t.Cleanup(func() { w.Close() })
			return w.Prepare(t.Context())
		}, "create indexes of "},
		{"nobody there", func(t *testing.T) error {
			r, err := Open(Options{URI: "mongodb://reader:hunter2@127.0.0.1:1/", Database: "ada", Timeout: 300 * time.Millisecond})
			if err != nil {
				return err
			}
			t.Cleanup(func() { r.Close() })
			return r.Ping(t.Context())
		}, "ping: connection: no server can be used: connection refused"},
		{"another protocol", func(t *testing.T) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			t.Cleanup(func() { l.Close() })
			go func() {
				for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
					fmt.Fprintf(conn, "HTTP/1.1 400 %s\r\n\r\n", name)
					conn.Close()
				}
			}()
			r, err := Open(Options{URI: "mongodb://reader:hunter2@" + l.Addr().String(), Database: "ada", Timeout: 300 * time.Millisecond})
			if err != nil {
				return err
			}
			t.Cleanup(func() { r.Close() })
			return r.Ping(t.Context())
		}, "ping: connection: no server can be used: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := test.try(t)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Fatalf("got %.300v, want %s", err, test.want)
			}
			for e := err; e != nil; {
				text := fmt.Sprintf("%v %+v %#v", e, e, e)
				for _, word := range []string{"ada.lovelace", "hunter2", "dup key", "reader", "HTTP"} {
					if strings.Contains(text, word) {
						t.Errorf("shows %q: %.300s", word, text)
					}
				}
				if len(text) > 2000 {
					t.Errorf("%d bytes: %.300s", len(text), text)
				}
				u, ok := e.(interface{ Unwrap() error })
				if !ok {
					break
				}
				e = u.Unwrap()
			}
		})
	}
}

func TestACursorThatNeverEndsHasLimits(t *testing.T) {
	endless := func(size int, empty bool) *server {
		id := 0
		return &server{answer: func(command bson.Raw) bson.D {
			if first := command.Index(0).Key(); first != "find" && first != "getMore" {
				return bson.D{{Key: "ok", Value: 1.0}}
			}
			if empty && id > 0 {
				return batchOf(command, 7)
			}
			id++
			return batchOf(command, 7, bson.D{{Key: "_id", Value: id}, {Key: "x", Value: strings.Repeat("x", size)}})
		}}
	}
	tests := []struct {
		name   string
		server *server
		limits limits
		want   string
	}{
		{"of records", endless(10, false), limits{records: 1000, bytes: 1 << 30, batches: 30}, "find users: limit: the collection has more than 1000 records"},
		{"of bytes", endless(10_000, false), limits{records: 1 << 30, bytes: 1 << 20, batches: 30}, "find users: limit: the collection has more than 1 MiB"},
		{"of time", endless(10, false), limits{records: 1 << 30, bytes: 1 << 40, batches: 3}, "find users: limit: reading it took longer than the limit of 3 times"},
		{"of time, with empty batches", endless(10, true), limits{records: 1 << 30, bytes: 1 << 40, batches: 3}, "find users: "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := readerOf(t, test.server.start(t), "", "")
			r.limits = test.limits
			if strings.HasPrefix(test.name, "of time") {
				if err := r.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.timeout = 100 * time.Millisecond
			}
			n, err := read(t, r)
			f := usage.FailureOf(err)
			if n == 0 || err == nil || !strings.HasPrefix(err.Error(), test.want) || f == nil || f.Reason != usage.ReasonLimit && f.Reason != usage.ReasonTimeout {
				t.Errorf("got %d records and %.300v, want %s", n, err, test.want)
			}
			if census, _, err := r.Census(t.Context(), workspaceNames()); err == nil || len(census.People) > 0 {
				t.Error("half a directory is a directory")
			}
		})
	}
}

func TestLimitsAreNotMetByAWholeCollection(t *testing.T) {
	s := &server{answer: func(command bson.Raw) bson.D {
		return batchOf(command, 0, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}})
	}}
	r := readerOf(t, s.start(t), "", "")
	r.limits.records = 2
	if n, err := read(t, r); n != 2 || err != nil {
		t.Errorf("got %d records, %v", n, err)
	}
}
