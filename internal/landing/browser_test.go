// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package landing

import (
	"context"
	"encoding/json"
	"fmt"
	stdhtml "html"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// browser is a Chromium. `make test` installs it where it may.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("this test needs Chromium: install Debian's package chromium-headless-shell, or chromium")
	return ""
}

// measured is what the browser says of a page in a frame of some width.
type measured struct {
	Name       string
	Width      int
	Scroll     int    // how wide the content is
	Background string // of the page
	Weight     string // of the status: bold if the style was used
}

// ruler is a page that has each page in a frame of each width, and then measures them.
const ruler = `<!DOCTYPE html><body><pre id="out"></pre><script>
const frames = [...document.querySelectorAll("iframe")];
window.addEventListener("load", () => {
  const all = [...document.querySelectorAll("iframe")].map(f => {
    const d = f.contentDocument, s = f.contentWindow.getComputedStyle(d.body), status = d.querySelector(".status");
    return {Name: f.title, Width: f.clientWidth, Scroll: d.scrollingElement.scrollWidth, Background: s.backgroundColor,
      Weight: f.contentWindow.getComputedStyle(status).fontWeight};
  });
  document.getElementById("out").textContent = JSON.stringify(all);
});
</script>%s</body>`

func TestThePageFitsItsScreen(t *testing.T) {
	chromium := browser(t)
	all := pages(t)
	all["long"] = longNames(t)
	mux := http.NewServeMux()
	var frames strings.Builder
	for name, k := range all {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			Write(w, k)
		})
		for _, width := range []int{320, 360, 768, 1280} {
			fmt.Fprintf(&frames, `<iframe title="%s" src="/%s" width="%d" height="800" style="border:0"></iframe>`, name, name, width)
		}
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, ruler, frames.String()) })
	// The policy forbids frames, which is all that is changed here: the style is used under it.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		mux.ServeHTTP(rec, r)
		maps.Copy(w.Header(), rec.Header())
		if csp := rec.Header().Get("Content-Security-Policy"); csp != "" {
			w.Header().Set("Content-Security-Policy", strings.Replace(csp, "frame-ancestors 'none'", "frame-ancestors 'self'", 1))
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	}))
	defer server.Close()

	grounds := map[string]string{}
	for scheme, setting := range map[string]string{"dark": "0", "light": "1"} {
		for _, m := range measure(t, chromium, server.URL, setting) {
			if m.Scroll > m.Width {
				t.Errorf("%s, %s: at %d pixels the page is %d wide", m.Name, scheme, m.Width, m.Scroll)
			}
			if m.Weight != "600" {
				t.Errorf("%s: the policy keeps the style out: %+v", m.Name, m)
			}
			grounds[scheme] = m.Background
		}
	}
	if grounds["dark"] == grounds["light"] {
		t.Errorf("both colour schemes have the ground %s", grounds["dark"])
	}
}

// measure runs the browser, which asks no other server.
func measure(t *testing.T, chromium, url, scheme string) (all []measured) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir="+t.TempDir(), "--blink-settings=preferredColorScheme="+scheme, "--virtual-time-budget=20000", "--dump-dom", url+"/").Output()
	if err != nil {
		t.Fatalf("%s: %v", chromium, err)
	}
	_, text, _ := strings.Cut(string(out), `<pre id="out">`)
	text, _, _ = strings.Cut(text, "</pre>")
	if err := json.Unmarshal([]byte(stdhtml.UnescapeString(text)), &all); err != nil {
		t.Fatalf("the browser says %q: %v", text, err)
	}
	if want := 4 * 8; len(all) != want {
		t.Fatalf("%d pages were measured, want %d", len(all), want)
	}
	return all
}

// longNames is a page with names as long as they can be, and no place to break them.
func longNames(t *testing.T) Known {
	k := cloud(t)
	long := strings.Repeat("W", usage.MaxName)
	rows := []usage.KeyUsage{{Key: usage.Key{Project: long}, Energy: usage.ByMode[usage.KWh]{Busy: 1}}}
	k.Numbers.Tops = []Top{TopOf(usage.ScopeProject, rows, nil), TopOf(usage.ScopeProject, append(rows, month()...), newest())}
	k.Budgets[0].Name, k.Budgets[1].Target = long, long
	k.Notices = []Notice{{About: usage.TopicUsage, Text: long, Since: now}, {About: usage.TopicDirectory, Text: long, Since: now}}
	k.Parts[1].State = long
	k.Grid.Slots[2].Index, k.Grid.Slots[2].Grid = long, long
	return k
}
