// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Fault is a way in which the API has failed in reality.
type Fault int

// The faults. SetFault switches between them while the API is serving.
const (
	Healthy     Fault = iota
	Down              // 500 with {"error":{...}}
	RateLimited       // 429 with Retry-After: 1
	HTMLPage          // 200 with an HTML page
	EmptyObject       // 200 with {}
	EmptyData         // 200 with {"data":[]}
	NoActuals         // every actual is null
	NoValues          // forecast and actual are null
)

// fail writes the answers of the faults that need no data.
func fail(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case Down:
		refuse(w, http.StatusInternalServerError, "There was an internal error processing your request.")
	case RateLimited:
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, "Too many requests.")
	case HTMLPage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Maintenance</title><p>We will be back soon.")
	case EmptyObject:
		reply(w, http.StatusOK, struct{}{})
	case EmptyData:
		reply(w, http.StatusOK, map[string]any{"data": []slotAnswer{}})
	default:
		return false
	}
	return true
}

func refuse(w http.ResponseWriter, status int, message string) {
	code := fmt.Sprintf("%d %s", status, http.StatusText(status))
	reply(w, status, map[string]any{"error": map[string]string{"code": code, "message": message}})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone away is not the server's problem.
	_ = json.NewEncoder(w).Encode(body)
}
