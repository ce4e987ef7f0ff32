// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package parts

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/carbon-exporter/carbon_exporter/internal/config"
	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// publicKeys are the keys of texts that are not secret. A new key counts as a secret
// until it stands here.
var publicKeys = []string{
	"prometheus.profile", "prometheus.metric", "prometheus.unit", "prometheus.matchers", "prometheus.info", "prometheus.shares.", "prometheus.fallback.", "prometheus.labels.", "prometheus.busy_", "prometheus.idle_", "prometheus.other_", "prometheus.cores_",
	"prometheus.processors.", "prometheus.memory.", "power.", "embodied.",
	"prometheus.authorization.type", "prometheus.no_proxy", "prometheus.oauth2.no_proxy",
	"prometheus.oauth2.client_id", "prometheus.oauth2.client_certificate_key_id", "prometheus.oauth2.grant_type",
	"prometheus.oauth2.signature_algorithm", "prometheus.oauth2.iss", "prometheus.oauth2.audience", "prometheus.oauth2.scopes",
	"prometheus.tls_config.ca", "prometheus.tls_config.cert", "prometheus.tls_config.server_name",
	"prometheus.oauth2.tls_config.ca", "prometheus.oauth2.tls_config.cert", "prometheus.oauth2.tls_config.server_name",
	"carbon_intensity.provider", "carbon_intensity.uk.postcode", "carbon_intensity.static.grid", "carbon_intensity.static.source",
	"carbon_intensity.name", "carbon_intensity.grid", "carbon_intensity.basis.",
	"carbon_intensity.table.zone", "carbon_intensity.prometheus.query", "carbon_intensity.prometheus.unit",
	"carbon_intensity.electricity_maps.zone", "carbon_intensity.electricity_maps.granularity",
	"carbon_intensity.watttime.region", "carbon_intensity.watttime.signal",
	"carbon_intensity.energy_charts.country",
	"carbon_intensity.energinet.area", "carbon_intensity.entsoe.zone", "carbon_intensity.eia.respondent",
	"carbon_intensity.openelectricity.network", "carbon_intensity.openelectricity.region",
	"attribution.group", "attribution.user_label", "mongodb.database", "mongodb.collections.", "mongodb.fields.", "mongodb.usage_database",
	"directory.file", "prometheus.names.", "budgets", "timezone", "metrics.by", "lake.site",
}

// ofDirectory is where a directory's Prometheus is configured, by keys that mean the same as
// those of the section prometheus.
const ofDirectory = "directory."

// ofIntensity is where sources of carbon intensity are configured, theFirst one of them.
const ofIntensity, theFirst = "carbon_intensity.", "carbon_intensity.uk"

// unsent are the keys of secrets that are used here and never sent, of those of MongoDB, which
// has its own server (see package mongo), and of those of a lake, which has its own bucket.
var unsent = []string{
	"prometheus.tls_config.key", "prometheus.oauth2.tls_config.key", "prometheus.oauth2.client_certificate_key",
	"attribution.pseudonym_key_file", "mongodb.", "lake.",
}

// key is a key of the configuration that holds a text, and how to set it.
type key struct {
	path string
	set  func(c *config.Config, value func(reflect.Type, string) reflect.Value)
}

// textKeys finds every key that holds a text or a URL, by reflection.
func textKeys() []key {
	var all []key
	type step func(reflect.Value) (reflect.Value, func())
	var walk func(t reflect.Type, path string, steps []step)
	walk = func(t reflect.Type, path string, steps []step) {
		with := func(s step) []step { return append(slices.Clone(steps), s) }
		switch {
		case t == reflect.TypeFor[promconfig.URL](), t.Kind() == reflect.String, t.Kind() == reflect.Interface:
			all = append(all, key{path: path, set: func(c *config.Config, value func(reflect.Type, string) reflect.Value) {
				v := reflect.ValueOf(c).Elem()
				var after []func()
				for _, s := range steps {
					var done func()
					v, done = s(v)
					after = append(after, done)
				}
				v.Set(value(t, path))
				for _, done := range slices.Backward(after) {
					done()
				}
			}})
		case t == reflect.TypeFor[model.Duration](), t == reflect.TypeFor[promconfig.TLSVersion]():
		case t.Kind() == reflect.Pointer:
			walk(t.Elem(), path, with(func(v reflect.Value) (reflect.Value, func()) {
				if v.IsNil() {
					v.Set(reflect.New(t.Elem()))
				}
				return v.Elem(), func() {}
			}))
		case t.Kind() == reflect.Slice:
			walk(t.Elem(), path, with(func(v reflect.Value) (reflect.Value, func()) {
				v.Set(reflect.MakeSlice(t, 1, 1))
				return v.Index(0), func() {}
			}))
		case t.Kind() == reflect.Map:
			walk(t.Elem(), path+".Some-Name", with(func(v reflect.Value) (reflect.Value, func()) {
				each := reflect.New(t.Elem()).Elem()
				v.Set(reflect.MakeMap(t))
				return each, func() { v.SetMapIndex(reflect.ValueOf("Some-Name"), each) }
			}))
		case t.Kind() == reflect.Struct:
			if t == reflect.TypeFor[promconfig.HTTPClientConfig]() && strings.HasPrefix(path, ofIntensity) && path != theFirst {
				return // the clients of all sources are made by the same code
			}
			if slices.Contains([]string{"also", "marginal", "elsewhere"}, strings.TrimPrefix(path, ofIntensity)) {
				return // and so are all chains
			}
			for i := range t.NumField() {
				f := t.Field(i)
				name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
				if !f.IsExported() || strings.HasSuffix(name, "_ref") {
					continue
				}
				inner := path + "." + name
				if options == "inline" && name == "" {
					inner = path
				}
				walk(f.Type, strings.TrimPrefix(inner, "."), with(func(v reflect.Value) (reflect.Value, func()) { return v.Field(i), func() {} }))
			}
		}
	}
	walk(reflect.TypeFor[config.Config](), "", nil)
	return all
}

func begins(path string, prefixes []string) bool {
	if inner, ok := strings.CutPrefix(path, ofDirectory); ok && begins(inner, prefixes) {
		return true
	}
	if inner, ok := strings.CutPrefix(path, ofIntensity+"sources."); ok && begins(ofIntensity+inner, prefixes) {
		return true
	}
	if inner, ok := strings.CutPrefix(path, theFirst+"."); ok && begins("prometheus."+inner, prefixes) {
		return true
	}
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == p || strings.HasPrefix(path, p) && (strings.HasSuffix(p, ".") || strings.HasSuffix(p, "_")) || path == p+"_file" || strings.HasPrefix(path, p+".") || p == "attribution.group" && strings.HasPrefix(path, p)
	})
}

// parrot is a server that repeats what it got.
type parrot struct {
	marker string
	say    func(string) string
	answer func(w http.ResponseWriter, r *http.Request, said string)

	mu    sync.Mutex
	heard bool
}

func (p *parrot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	said := p.hear(r)
	if p.answer != nil {
		p.answer(w, r, p.say(said))
	}
}

// hear gathers what a request has, the marked parts alone if there are any.
func (p *parrot) hear(r *http.Request) string {
	body, _ := io.ReadAll(r.Body)
	parts := []string{r.URL.Path, r.URL.RawQuery, r.RequestURI, string(body)}
	for _, form := range []string{r.URL.RawQuery, string(body)} {
		if values, err := url.ParseQuery(form); err == nil {
			for _, v := range values {
				parts = append(parts, v...)
			}
		}
	}
	for _, values := range r.Header {
		for _, v := range values {
			parts = append(parts, v)
			if _, credential, ok := strings.Cut(v, "Basic "); ok {
				plain, _ := base64.StdEncoding.DecodeString(credential)
				parts = append(parts, string(plain))
				if plain, err := url.QueryUnescape(string(plain)); err == nil {
					parts = append(parts, plain)
				}
			}
		}
	}
	if assertion := r.URL.Query().Get("assertion") + between(string(body), "assertion=", "&"); assertion != "" {
		for part := range strings.SplitSeq(assertion, ".") {
			plain, _ := base64.RawURLEncoding.DecodeString(part)
			parts = append(parts, string(plain))
		}
	}
	var marked []string
	for _, part := range parts {
		if shows(part, p.marker) {
			marked = append(marked, part)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(marked) == 0 {
		return strings.Join(parts, " ")
	}
	p.heard = true
	slices.SortFunc(marked, func(a, b string) int { return len(a) - len(b) })
	return strings.Join(marked, " ")
}

func between(text, from, to string) string {
	_, text, _ = strings.Cut(text, from)
	text, _, _ = strings.Cut(text, to)
	return text
}

// raw answers bytes that need not be HTTP.
func raw(format string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, said string) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, format, said)
		conn.(*net.TCPConn).CloseWrite()
	}
}

func written(status int, header, format string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, said string) {
		if name, value, ok := strings.Cut(header, ": "); ok {
			w.Header().Set(name, strings.ReplaceAll(value, "%s", said))
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, format, said)
	}
}

func inJSON(text string) string { t, _ := json.Marshal(text); return string(t[1 : len(t)-1]) }

func jsonWritten(status int, format string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, said string) {
		written(status, "Content-Type: application/json", format)(w, r, inJSON(said))
	}
}

// answers are ways to repeat something.
var answers = []struct {
	name   string
	answer func(http.ResponseWriter, *http.Request, string)
}{
	{"401 with a text", written(401, "", "no: %s")},
	{"400 as Prometheus writes it", jsonWritten(400, `{"status":"error","errorType":"bad_data","error":"1:1: %s"}`)},
	{"401 as a token server writes it", jsonWritten(401, `{"error":"invalid_client","error_description":"%s"}`)},
	{"503 with a page", written(503, "Content-Type: text/html", "<html><body>%s</body></html>")},
	{"200 with a text", written(200, "", "%s")},
	{"200 with an unfinished text", written(200, "Content-Length: 100000", `{"status":"%s`)},
	{"200 with an error", jsonWritten(200, `{"status":"error","errorType":"%s","error":"%[1]s"}`)},
	{"200 with a warning", jsonWritten(200, `{"status":"success","warnings":["%s"],"data":{"resultType":"matrix","result":[]}}`)},
	{"200 of another kind", jsonWritten(200, `{"status":"success","data":{"resultType":"%s","result":[]}}`)},
	{"200 with an unknown member", jsonWritten(200, `{"status":"success","data":{"resultType":"matrix","result":[{"%s":1}]}}`)},
	{"200 with a name twice", jsonWritten(200, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"%s":"a","%[1]s":"b"},"values":[]}]}}`)},
	{"200 with a project", func(w http.ResponseWriter, r *http.Request, said string) {
		if strings.HasSuffix(r.URL.Path, "/values") {
			jsonWritten(200, `{"status":"success","data":["%s"]}`)(w, r, said)
			return
		}
		written(422, "", "%s")(w, r, said)
	}},
	{"200 with an error of the grid", jsonWritten(200, `{"error":{"message":"%s"}}`)},
	{"200 with slots", func(w http.ResponseWriter, r *http.Request, said string) {
		first, _, _ := strings.Cut(said, " ") // the index of a slot is a short word
		jsonWritten(200, `{"data":[{"from":"2026-07-01T12:00Z","to":"2026-07-01T12:30Z","intensity":{"forecast":1,"index":"%s"}}]}`)(w, r, first[:min(len(first), 32)])
	}},
	{"200 with a token that is refused", func(w http.ResponseWriter, r *http.Request, said string) {
		if strings.Contains(r.URL.Path, "/token") {
			jsonWritten(200, `{"access_token":"some-access-token-0123","token_type":"%s","error":"%[1]s"}`)(w, r, said)
			return
		}
		written(500, "", "%s")(w, r, said)
	}},
	{"an encoding", written(200, "Content-Encoding: %s", "x")},
	{"a redirect", written(302, "Location: http://%s/?x=y", "")},
	{"a redirect to itself", written(307, "Location: /%s", "")},
	{"a redirect to nowhere", written(302, "Location: ://%s", "")},
	{"a status with words", raw("HTTP/1.1 407 %s\r\nContent-Length: 0\r\n\r\n")},
	{"a status that is none", raw("HTTP/1.1 %s\r\n\r\n")},
	{"a version that is none", raw("HTTP/%s 200 OK\r\n\r\n")},
	{"a line that is none", raw("%s\r\n\r\n")},
	{"a header that is none", raw("HTTP/1.1 200 OK\r\n%s\r\n\r\n")},
	{"a length that is none", raw("HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n")},
	{"a transfer encoding that is none", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n")},
	{"a chunk that is none", raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n")},
}

var sayings = []func(string) string{
	func(s string) string { return s },
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte("x" + s)) },
	url.QueryEscape,
	url.PathEscape,
	inJSON,
	strconv.Quote,
	html.EscapeString,
	func(s string) string { return hex.EncodeToString([]byte(s)) },
}

// shows says whether a marker can be read from a text.
func shows(text, marker string) bool {
	text = strings.ToLower(text)
	forms := []string{marker, url.QueryEscape(marker), url.PathEscape(marker), inJSON(marker), html.EscapeString(marker), hex.EncodeToString([]byte(marker))}
	forms = append(forms, strings.Trim(strconv.Quote(marker), `"`), inJSON(inJSON(marker)), url.QueryEscape(url.QueryEscape(marker)))
	for skip := range 3 {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", skip) + marker))
		core := whole[(skip*8+5)/6 : len(whole)-1]
		forms = append(forms, core, strings.NewReplacer("+", "-", "/", "_").Replace(core))
	}
	return slices.ContainsFunc(forms, func(form string) bool {
		form = strings.ToLower(form)
		return strings.Contains(text, form) || strings.Contains(text, form[:len(form)*3/4])
	})
}

// said is all that can be made to show of an error.
func said(err error) string {
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Error("Failed", "err", err)
	slog.New(slog.NewJSONHandler(&b, nil)).Error("Failed", "err", err)
	var show func(error)
	show = func(err error) {
		if err == nil {
			return
		}
		fmt.Fprintf(&b, "%v %+v %#v %q\n", err, err, err, err)
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			for _, each := range several.Unwrap() {
				show(each)
			}
		}
		show(errors.Unwrap(err))
	}
	show(err)
	return b.String()
}

var rsaKey = sync.OnceValue(func() string {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)}))
})

// configured is a configuration with a marker in one key, and with what that key needs.
func configured(t *testing.T, k key, marker, server string) *config.Config {
	t.Helper()
	address, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Prometheus.URL, c.CarbonIntensity.UK.URL = promconfig.URL{URL: address}, promconfig.URL{URL: address}
	c.Prometheus.Timeout = model.Duration(2 * time.Second)
	k.set(&c, func(to reflect.Type, path string) reflect.Value {
		marked := *address
		marked.User, marked.RawQuery = url.UserPassword("user-"+marker, marker), url.Values{"key": {marker}}.Encode()
		last := path[strings.LastIndex(path, ".")+1:]
		switch {
		case to == reflect.TypeFor[promconfig.URL]():
			return reflect.ValueOf(promconfig.URL{URL: &marked})
		case strings.HasSuffix(last, "_url"):
			return reflect.ValueOf(marked.String()).Convert(to)
		case last == "uri":
			return reflect.ValueOf("mongodb://" + url.UserPassword("user-"+marker, marker).String() + "@" + address.Host + "/?authMechanism=PLAIN&authSource=%24external").Convert(to)
		case last == "uri_file":
			return reflect.ValueOf(kept(t, "mongodb://"+url.UserPassword("user-"+marker, marker).String()+"@"+address.Host+"/")).Convert(to)
		case strings.HasSuffix(last, "_file"), last == "files":
			return reflect.ValueOf(kept(t, marker)).Convert(to)
		case to.Kind() == reflect.Interface:
			return reflect.ValueOf(any(marker))
		}
		return reflect.ValueOf(marker).Convert(to)
	})
	h, at := &c.Prometheus.HTTPClientConfig, &c.Prometheus.URL
	if strings.HasPrefix(k.path, theFirst+".") {
		h, at = &c.CarbonIntensity.UK.HTTPClientConfig, &c.CarbonIntensity.UK.URL
	}
	for _, source := range c.CarbonIntensity.Sources {
		complete(source.Kinds, address)
	}
	if d := c.Directory; d != nil {
		p := d.Prometheus
		if p.URL.URL == nil {
			p.URL = promconfig.URL{URL: address}
		}
		p.Metric, p.Labels = "kube_pod_labels", config.DirectoryLabels{Host: "pod", Owner: "label_owner"}
		h, at = &p.HTTPClientConfig, &p.URL
	}
	if a := h.Authorization; a != nil && a.Type == "" {
		a.Type = "Bearer"
	}
	if len(h.ProxyConnectHeader) > 0 {
		h.ProxyURL = promconfig.URL{URL: address}
		*at = promconfig.URL{URL: &url.URL{Scheme: "https", Host: "prometheus.invalid"}}
	}
	if o := h.OAuth2; o != nil {
		o.ClientID = "client"
		if o.TokenURL == "" {
			o.TokenURL = server + "/token"
		}
		if o.ClientCertificateKey != "" || o.ClientCertificateKeyFile != "" || len(o.Claims) > 0 {
			o.GrantType = "urn:ietf:params:oauth:grant-type:jwt-bearer"
		}
		if len(o.Claims) > 0 {
			o.ClientCertificateKey = promconfig.Secret(rsaKey())
		}
		if len(o.ProxyConnectHeader) > 0 {
			o.ProxyURL, o.TokenURL = promconfig.URL{URL: address}, "https://issuer.invalid/token"
		}
	}
	if m := c.MongoDB; m != nil {
		m.Database, m.Timeout = "ada", model.Duration(50*time.Millisecond)
		m.Collections = config.Collections{Workspaces: "w", Users: "u", Groups: "g", Hosts: "h"}
	}
	return &c
}

// complete gives the kind of a source that is set what it needs to send a request.
func complete(kinds config.Kinds, address *url.URL) {
	if e := kinds.ENTSOE; e != nil && e.Zone == "" {
		e.Zone = "FR" // without a zone that there is, nothing is sent
	}
	all := reflect.ValueOf(kinds)
	for _, kind := range all.Fields() {
		if kind.IsNil() {
			continue
		}
		of := kind.Elem()
		if at := of.FieldByName("Endpoint"); at.IsValid() {
			if e := at.Addr().Interface().(*config.Endpoint); e.URL.URL == nil {
				e.URL = promconfig.URL{URL: address}
			}
		}
		if zone := of.FieldByName("Zone"); zone.IsValid() && zone.String() == "" {
			zone.SetString("FR")
		}
		if with := of.FieldByName("Token"); with.IsValid() {
			if key := with.Addr().Interface().(*config.Token); *key == (config.Token{}) {
				key.Token = "no-secret"
			}
		}
	}
}

func kept(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// attempts is all that goes wrong when the parts of a configuration are made and used.
func attempts(c *config.Config) []error {
	p, err := New(c, nil, time.Now, false, nil)
	if err != nil {
		return []error{err}
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	half := usage.IntervalAt(time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC), usage.SlotLength)
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if d := p.Settings.Directory; d != nil {
		_, _, err = d.Census(ctx)
		note(err)
		return errs
	}
	source, err := Source(c.Prometheus, nil)
	note(err)
	if source != nil {
		_, _, err = source.Read(ctx, []usage.Interval{half})
		note(err)
		_, err = source.Projects(ctx, usage.Period{From: half.Start, To: half.End()})
		note(err)
	}
	slots, _, err := p.Settings.Grid[0].Slots(ctx, half.Start, half.End())
	note(err)
	for _, s := range slots {
		note(errors.New("the index is " + s.Index))
	}
	return errs
}

// Whatever a server repeats of what it got, no secret of the configuration is in an
// error, a log or on /config.
func TestNoUpstreamCanMakeUsShowASecret(t *testing.T) {
	t.Setenv("NO_PROXY", "")
	keys := textKeys()
	if len(keys) < 40 {
		t.Fatalf("only %d keys were found", len(keys))
	}
	for _, k := range keys {
		if begins(k.path, publicKeys) {
			continue
		}
		t.Run(k.path, func(t *testing.T) {
			heard := false
			for i, marker := range []string{"MarkedSecret7Q", `mA7/k+d s"e&c%r<t>\Q`} {
				for j, a := range answers {
					if j > 0 && begins(k.path, unsent) {
						break // whatever is answered
					}
					// Each way to write it meets each way to answer, and so does the second
					// marker, if not for each key.
					if i == 1 && (j+len(k.path))%3 != 0 {
						continue
					}
					// The clients of all sections are made by the same code.
					if (strings.HasPrefix(k.path, ofDirectory) || strings.HasPrefix(k.path, ofIntensity)) && j > 0 && (i+j+len(k.path))%5 != 0 {
						continue
					}
					say := sayings[(i*4+j+len(k.path))%len(sayings)]
					if i == 0 {
						say = sayings[0]
					}
					p := &parrot{marker: marker, say: say, answer: a.answer}
					repeat(t, k, p, a.name)
					heard = heard || p.heard
				}
			}
			if !heard && !begins(k.path, unsent) {
				t.Error("the secret was never sent, so nothing was shown")
			}
		})
	}
}

func repeat(t *testing.T, k key, p *parrot, name string) {
	t.Helper()
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()
	c := configured(t, k, p.marker, server.URL)
	errs := attempts(c)
	for _, err := range errs {
		if text := said(err); shows(text, p.marker) {
			t.Errorf("%s: shows its secret: %.1500s", name, text)
		}
		if text := err.Error(); len(text) > 1500 || strings.ContainsAny(text, "\n\r\x00") {
			t.Errorf("%s: not one line of a log: %.300q", name, text)
		}
	}
	if text, err := c.Redacted(); err != nil || shows(text, p.marker) {
		t.Errorf("%s: /config shows %s, %v", name, text, err)
	}
	for _, u := range []promconfig.URL{c.Prometheus.URL, c.CarbonIntensity.UK.URL} {
		if shows(config.PublicURL(u), p.marker) {
			t.Errorf("%s: a URL is shown as %s", name, config.PublicURL(u))
		}
	}
}
