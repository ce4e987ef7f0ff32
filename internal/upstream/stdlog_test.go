// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestLinesOfNetHTTPAreInTheLogsFormatAndQuoteNobody(t *testing.T) {
	var said safeBuffer
	defer StandardLog(slog.New(slog.NewTextHandler(&said, nil)))()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	again := make(chan struct{})
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		<-again
		fmt.Fprint(conn, "HTTP/1.1 500 hunter2\r\n\r\n")
	}()
	if _, err := ask(t.Context(), plain(t), "http://"+l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	close(again)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if said.String() != "" {
			break
		}
		<-tick.C
	}
	if text := said.String(); strings.Contains(text, "hunter2") || !strings.HasPrefix(text, "time=") || !strings.Contains(text, `level=WARN msg="A server or client broke the HTTP protocol" reason="Unsolicited response`) {
		t.Errorf("got %q", text)
	}
}
