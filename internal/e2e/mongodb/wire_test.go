// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package mongodb

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/carbon-exporter/carbon_exporter/internal/mongo"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// tap passes messages on between clients and the server, keeps the commands, and
// makes the server look like a router of a cluster: a lone server is told nothing
// of who should answer. It can make one that lets nobody in, too: FerretDB without
// its own database of users knows no rights.
type tap struct {
	refuses bool

	mu      sync.Mutex
	sent    []bson.Raw
	hellos  bytes.Buffer
	address string
}

func newTap(t *testing.T, refuses bool) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p, server := &tap{address: l.Addr().String(), refuses: refuses}, host(t)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go p.pass(client, server)
		}
	}()
	return p
}

func (p *tap) pass(client net.Conn, server string) {
	defer client.Close()
	up, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		defer client.Close()
		for m, err := readMessage(up); err == nil; m, err = readMessage(up) {
			client.Write(m.routers(p.refuses))
		}
	}()
	for m, err := readMessage(client); err == nil; m, err = readMessage(client) {
		p.keep(m)
		up.Write(m)
	}
}

func (p *tap) keep(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at := m.document(); at > 0 && m.op() == opMsg {
		p.sent = append(p.sent, slices.Clone(bson.Raw(m[at:])))
	} else {
		p.hellos.Write(m)
	}
}

func (p *tap) commands() []bson.Raw {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.sent)
}

// message is one of MongoDB's wire protocol, whole:
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
type message []byte

const (
	opReply = 1
	opMsg   = 2013
)

func readMessage(from io.Reader) (message, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	m := make([]byte, binary.LittleEndian.Uint32(head))
	copy(m, head)
	_, err := io.ReadFull(from, m[16:])
	return m, err
}

func (m message) op() uint32 { return binary.LittleEndian.Uint32(m[12:]) }

// document is where the one document of a command or an answer begins; 0: there
// is none.
func (m message) document() int {
	switch m.op() {
	case opMsg:
		return 21
	case opReply:
		return 36
	}
	return 0
}

// routers is the message; an answer to a greeting is that of a router, any other
// may be a refusal.
func (m message) routers(refuses bool) []byte {
	at := m.document()
	if at == 0 {
		return m
	}
	var doc bson.D
	switch _, err := bson.Raw(m[at:]).LookupErr("maxWireVersion"); {
	case err == nil && bson.Unmarshal(m[at:], &doc) == nil:
		doc = append(doc, bson.E{Key: "msg", Value: "isdbgrid"})
	case refuses:
		doc = d("ok", 0.0, "errmsg", "not authorized on ada to execute command", "code", int32(13), "codeName", "Unauthorized")
	default:
		return m
	}
	raw, err := bson.Marshal(doc)
	if err != nil {
		return m
	}
	changed := append(slices.Clone(m[:at]), raw...)
	binary.LittleEndian.PutUint32(changed, uint32(len(changed)))
	return changed
}

func TestEveryReadSaysHowItIsToBeAnswered(t *testing.T) {
	rig := newRig(t)
	rig.insert("things", d("_id", 1, "x", 1), d("_id", 2, "x", 2), d("_id", 3, "x", 3))
	p := newTap(t, false)
	reader := rig.reader(func(o *mongo.Options) {
		o.URI = "mongodb://" + p.address + "/?retryWrites=true&readPreference=primary&readConcernLevel=local"
	})
	ctx := t.Context()
	all := func(f mongo.Find) {
		t.Helper()
		for _, err := range reader.Find(ctx, "things", f) {
			if err != nil {
				t.Error(err)
			}
		}
	}
	try := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	if err := reader.Ping(ctx); err != nil {
		t.Error(err)
	}
	try(reader.ListCollections(ctx))
	try(reader.Count(ctx, "things", nil, "_id_"))
	try(reader.EstimatedCount(ctx, "things"))
	try(reader.Distinct(ctx, "things", "x", nil))
	try(reader.FindOne(ctx, "things", mongo.Find{}))
	all(mongo.Find{BatchSize: 1})
	for _, err := range reader.Aggregate(ctx, "things", []doc{}, true, nil) {
		if err != nil {
			t.Error(err)
		}
	}
	try(reader.Within(time.Second).FindOne(ctx, "things", mongo.Find{Filter: d("x", 2)}))
	reader.Close()

	concerned := []string{"find", "aggregate", "count", "distinct"}
	seen := map[string]int{}
	for _, command := range p.commands() {
		elements, err := command.Elements()
		if err != nil {
			t.Fatal(err)
		}
		name := elements[0].Key()
		seen[name]++
		limit, _ := command.Lookup("maxTimeMS").AsInt64OK()
		want := int64(10_000)
		if x, ok := command.Lookup("filter", "x").AsInt64OK(); ok && x == 2 {
			want = 1000
		}
		switch name {
		case "hello", "isMaster", "getMore", "killCursors", "endSessions":
			continue
		case "distinct": // FerretDB takes none, and is asked again without
			if limit == 0 {
				limit = want
			}
			fallthrough
		case "find", "aggregate", "count", "ping", "listCollections":
			if limit > want || limit < want/2 { // what has passed is taken off
				t.Errorf("the server may take %d ms, want up to %d: %s", limit, want, command)
			}
			if mode, _ := command.Lookup("$readPreference", "mode").StringValueOK(); mode != "secondaryPreferred" && name != "ping" {
				t.Errorf("whoever answers is %q: %s", mode, command)
			}
			if level, _ := command.Lookup("readConcern", "level").StringValueOK(); level != "majority" && slices.Contains(concerned, name) {
				t.Errorf("the read concern is %q: %s", level, command)
			}
		default:
			t.Errorf("a reader sends %s", command)
		}
	}
	for _, name := range []string{"ping", "listCollections", "find", "getMore", "aggregate", "count", "distinct"} {
		if seen[name] == 0 {
			t.Errorf("%s was never sent: %v", name, seen)
		}
	}
	if !bytes.Contains(p.hellos.Bytes(), []byte("carbon_exporter_test")) {
		t.Error("the server is not told who asks")
	}
}

func TestAnAccountWithoutRightsIsToldSo(t *testing.T) {
	rig := newRig(t)
	p := newTap(t, true)
	at := func(o *mongo.Options) { o.URI = "mongodb://" + p.address + "/" }
	_, _, read := rig.reader(at).Census(t.Context(), names())
	o := rig.options()
	at(&o)
	w, err := mongo.OpenWriter(o)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for what, err := range map[string]error{
		"reads": read, "makes an index": w.Prepare(t.Context()), "writes": w.Write(t.Context(), []usage.Rollup{posting(0, 1, true, "ada")}),
	} {
		if reason(err) != usage.ReasonAuth || !usage.IsPermanent(err) {
			t.Errorf("who may not, and %s: %v", what, err)
		}
	}
}
