// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// notification is the part shown of what Alertmanager posts to a webhook.
type notification struct {
	Alerts []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// listen shows the alerts that arrive at an address.
func listen(address string, out io.Writer) (*http.Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for alerts: %w", err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n notification
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&n); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, a := range n.Alerts {
			fmt.Fprintf(out, "%s  %-8s  %s  %s\n", time.Now().Format(time.TimeOnly), a.Status, a.Labels["alertname"], a.Annotations["summary"])
		}
	})}
	go server.Serve(listener) //nolint:errcheck // it ends with the program
	return server, nil
}
