// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBodiesThatGoWrong(t *testing.T) {
	whole := zipped(t, strings.Repeat("carbon ", 1000))
	tests := []struct {
		name     string
		encoding string
		body     []byte
		promised int // content length beyond the body: the connection breaks
		want     string
	}{
		{name: "plain, connection breaks", body: []byte(`{"data":[`), promised: 100, want: usage.ReasonConnection},
		{name: "gzip, connection breaks", encoding: "gzip", body: whole[:len(whole)/2], promised: 100, want: usage.ReasonConnection},
		{name: "gzip that ends early", encoding: "gzip", body: whole[:len(whole)/2], want: usage.ReasonMalformed},
		{name: "gzip without its checksum", encoding: "gzip", body: whole[:len(whole)-8], want: usage.ReasonMalformed},
		{name: "gzip with garbage inside", encoding: "gzip", body: append(bytes.Clone(whole[:20]), "garbage garbage"...), want: usage.ReasonMalformed},
		{name: "gzip with garbage behind", encoding: "gzip", body: append(bytes.Clone(whole), "garbage garbage"...), want: usage.ReasonMalformed},
		{name: "text that claims to be gzip", encoding: "gzip", body: []byte("<html>"), want: usage.ReasonMalformed},
		{name: "nothing that claims to be gzip", encoding: "gzip", want: usage.ReasonMalformed},
		{name: "an encoding nobody asked for", encoding: "br", body: []byte("x"), want: usage.ReasonMalformed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.encoding != "" {
					w.Header().Set("Content-Encoding", test.encoding)
				}
				w.Header().Set("Content-Length", strconv.Itoa(len(test.body)+test.promised))
				w.Write(test.body)
			})
			f := failure(t, plain(t), url)
			if f.Reason != test.want || f.Permanent || f.TooLarge {
				t.Errorf("got %+v, want %s", f, test.want)
			}
		})
	}
}

func TestLimitCountsDecodedBytes(t *testing.T) {
	const limit = 1000
	tests := []struct {
		name  string
		bytes int
		gzip  bool
		over  bool
	}{
		{name: "just the limit", bytes: limit},
		{name: "just the limit, zipped", bytes: limit, gzip: true},
		{name: "one byte more", bytes: limit + 1, over: true},
		{name: "one byte more, zipped", bytes: limit + 1, gzip: true, over: true},
		{name: "gzip bomb of 64 MiB", bytes: 64 << 20, gzip: true, over: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := bytes.Repeat([]byte{'a'}, test.bytes)
			if test.gzip {
				body = zipped(t, string(body))
			}
			url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if test.gzip {
					w.Header().Set("Content-Encoding", "gzip")
				}
				w.Write(body)
			})
			c := plain(t)
			c.MaxBytes = limit
			if test.over {
				if f := failure(t, c, url); f.Reason != usage.ReasonLimit || !f.TooLarge {
					t.Errorf("got %+v", f)
				}
				return
			}
			if got, err := ask(t.Context(), c, url); len(got) != test.bytes || err != nil {
				t.Errorf("got %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestLimitGivesNoCleanEndOnASecondRead(t *testing.T) {
	l := &limited{r: strings.NewReader("12345"), left: 4, max: 4}
	for range 3 {
		if n, err := l.Read(make([]byte, 10)); n != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("got %d bytes, %v", n, err)
		}
	}
}

func TestConnectionIsUsedAgainAfterAWholeAnswer(t *testing.T) {
	peers := map[string]bool{}
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(zipped(t, "{}"))
	})
	c := plain(t)
	for range 3 {
		if _, err := ask(t.Context(), c, url); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 1 {
		t.Errorf("%d connections, want 1", len(peers))
	}
}
