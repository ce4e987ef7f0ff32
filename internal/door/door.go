// Package door keeps an HTTP server free for those who behave: it bounds how many
// requests are answered and how many connections are open at once, and drops the
// clients that take their answers slowest first. It knows clients by their address
// alone; it must not know what is served. Start with Door.Handler.
package door

import (
	"net/http"
	"time"
)

// Limits are those of a Door. Every field must be above 0.
type Limits struct {
	Places    int // requests answered at once
	PerClient int // of them for one client
	Waiting   int // requests that wait for a place; more get a 503

	// Wait is how long a request waits for a place before it gets a 503.
	Wait time.Duration
	// Stall is how long a client may take nothing of its answer while others wait.
	// After that it loses its place to them, whoever has stalled longest first.
	Stall time.Duration
	// Grace is how long a client may take over any answer, and BytesPerSecond the
	// least rate at which it must take what is larger. Slower ones are cut off,
	// whether anybody waits or not.
	Grace          time.Duration
	BytesPerSecond int
}

// Door lets a bounded number of requests in. A client that has none inside goes
// before one that has some; a client is an IPv4 address or an IPv6 /64. All clients
// behind a proxy are one, so the share of one client is large, and within it
// whoever stalls makes room for whoever does not.
type Door struct {
	limits Limits
	places places
}

// New makes a Door with these limits.
func New(l Limits) *Door {
	return &Door{limits: l, places: newPlaces(l)}
}

// Handler guards a handler. Beyond the limits it answers 503 with Retry-After.
func (d *Door) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := d.places.enter(r.Context(), clientOf(r.RemoteAddr))
		if v == nil {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "Too many requests at once, try again in a second.", http.StatusServiceUnavailable)
			return
		}
		defer d.places.leave(v)
		next.ServeHTTP(&pacedWriter{
			ResponseWriter: w, control: http.NewResponseController(w), visit: v, limits: d.limits,
		}, r)
	})
}

// NoBody is for a server whose handlers read no request bodies. A client that
// announces one and does not send it would hold up its answer, because net/http
// first reads what is left of a body, unless the connection ends with the answer.
func NoBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
