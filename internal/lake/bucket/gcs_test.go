// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package bucket

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanos-io/objstore"
)

// googleAPI answers as the JSON API of Google Cloud Storage is documented to, one object a page.
type googleAPI struct {
	objects map[string][]byte
	denies  bool
}

func (g *googleAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, isObject := strings.CutPrefix(r.URL.EscapedPath(), "/storage/v1/b/lake/o/")
	name, _ = url.PathUnescape(name)
	switch {
	case g.denies:
		g.fail(w, http.StatusForbidden, "me@example.org does not have storage.objects.get access")
	case r.Method == http.MethodPost && r.URL.Path == "/upload/storage/v1/b/lake/o" && r.FormValue("uploadType") == "media":
		body, err := io.ReadAll(r.Body)
		if err == nil {
			g.objects[r.URL.Query().Get("name")] = body
		}
		fmt.Fprint(w, "{}")
	case r.Method == http.MethodGet && r.URL.Path == "/storage/v1/b/lake/o":
		g.list(w, r.URL.Query())
	case !isObject || g.objects[name] == nil:
		g.fail(w, http.StatusNotFound, "No such object: lake/"+name)
	case r.Method == http.MethodDelete:
		delete(g.objects, name)
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Query().Get("alt") == "media":
		http.ServeContent(w, r, "", time.Now(), strings.NewReader(string(g.objects[name])))
	default:
		g.write(w, g.describe(name))
	}
}

func (g *googleAPI) describe(name string) map[string]any {
	return map[string]any{"name": name, "size": fmt.Sprint(len(g.objects[name])), "updated": time.Now().Format(time.RFC3339Nano)}
}

func (g *googleAPI) list(w http.ResponseWriter, q url.Values) {
	seen := map[string]map[string]any{} // by name; nil: a prefix
	for name := range g.objects {
		rest, ok := strings.CutPrefix(name, q.Get("prefix"))
		if !ok {
			continue
		}
		if dir, _, deeper := strings.Cut(rest, "/"); deeper && q.Get("delimiter") == "/" {
			seen[q.Get("prefix")+dir+"/"] = nil
		} else {
			seen[name] = g.describe(name)
		}
	}
	page := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if name <= q.Get("pageToken") {
			continue
		}
		if len(page) > 0 {
			page["nextPageToken"] = page["last"]
			break
		}
		if page["last"] = name; seen[name] == nil {
			page["prefixes"] = []string{name}
		} else {
			page["items"] = []any{seen[name]}
		}
	}
	g.write(w, page)
}

func (g *googleAPI) fail(w http.ResponseWriter, status int, message string) {
	w.WriteHeader(status)
	g.write(w, map[string]any{"error": map[string]any{"code": status, "message": message}})
}

func (*googleAPI) write(w http.ResponseWriter, answer any) {
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		panic(err)
	}
}

func TestGoogleIsABucket(t *testing.T) {
	server := &googleAPI{objects: map[string][]byte{}}
	s := httptest.NewServer(server)
	defer s.Close()
	b := &gcs{bucket: "lake", host: s.URL, client: s.Client()}
	hold(t, objstore.NewPrefixedBucket(b, "p"))
	if len(server.objects) != 1 || server.objects["p/a/c/d=e f.txt"] == nil {
		t.Errorf("it has %v", slices.Collect(maps.Keys(server.objects)))
	}
	server.denies = true
	err := b.Upload(t.Context(), "a", strings.NewReader("x"))
	if !b.IsAccessDeniedErr(err) || b.IsObjNotFoundErr(err) || err.Error() != "403 Forbidden: me@example.org does not have storage.objects.get access" {
		t.Errorf("no rights: %v", err)
	}
}

func TestCredentialsOfGoogleAreOnlyLookedForWhenNeeded(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
	c, err := Parse([]byte("type: GCS\nconfig: {bucket: lake}"), "test")
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Upload(t.Context(), "a", strings.NewReader("x")); err == nil || !strings.Contains(err.Error(), "credentials of Google Cloud") {
		t.Errorf("without credentials: %v", err)
	}
}
