// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"encoding/base64"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/common/config"

	"github.com/carbon-exporter/carbon_exporter/internal/readfile"
)

// maxSecretFile bounds what is read of a file with a secret.
const maxSecretFile = 64 << 10

// secretKeys are keys of strings that are secrets or account names although their type does not
// say so. Everything inside them counts, too.
var secretKeys = []string{"username", "endpoint_params", "claims", "http_headers"}

// publicFiles are the keys of files without a secret.
var publicFiles = []string{"ca_file", "cert_file"}

// collect finds the secrets in a section of the configuration by types and keys, so that new
// keys are included: every config.Secret, everything under secretKeys, user, password and query
// of every URL, and every *_file.
func (s *Scrubber) collect(section any) { s.walk(reflect.ValueOf(section), "", false) }

func (s *Scrubber) walk(v reflect.Value, key string, isSecret bool) {
	isSecret = isSecret || slices.Contains(secretKeys, key)
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			s.walk(v.Elem(), key, isSecret)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			s.walk(v.Index(i), key, isSecret)
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			s.walk(each.Value(), "", isSecret)
		}
	case reflect.Struct:
		s.fields(v, isSecret)
	case reflect.String:
		s.value(v, key, isSecret)
	}
}

func (s *Scrubber) fields(v reflect.Value, isSecret bool) {
	if u, ok := reflect.TypeAssert[url.URL](v); ok {
		s.address(u.String(), true)
		return
	}
	if p, ok := reflect.TypeAssert[config.ProxyConfig](v); ok && p.ProxyFromEnvironment {
		for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
			s.address(os.Getenv(name), true)
		}
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.IsExported() {
			key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			s.walk(v.Field(i), key, isSecret)
		}
	}
}

func (s *Scrubber) value(v reflect.Value, key string, isSecret bool) {
	text := v.String()
	switch {
	case text == "":
	case strings.HasSuffix(key, "_file"), key == "files":
		if !slices.Contains(publicFiles, key) {
			s.files = append(s.files, text)
		}
	case v.Type() == reflect.TypeFor[config.Secret](), isSecret:
		s.fixed = append(s.fixed, secret{text: text, name: v.Type() != reflect.TypeFor[config.Secret]() && key != ""})
		s.address(text, false)
	default:
		s.address(text, strings.HasSuffix(key, "url"))
	}
}

// address adds the secrets of a text if it is a URL. One that is meant as a URL may lack its
// scheme: user:password@proxy.
func (s *Scrubber) address(text string, meant bool) {
	if meant && !strings.Contains(text, "://") {
		text = "://" + text
	}
	s.fixed = append(s.fixed, inURL(text)...)
}

// inURL returns the secrets of a URL; none if the text is not a URL. It does not use net/url,
// which cannot parse MongoDB's URLs of several servers.
func inURL(text string) []secret {
	_, rest, isURL := strings.Cut(text, "://")
	if !isURL {
		return nil
	}
	var all []secret
	add := func(text string, name bool, decode func(string) (string, error)) {
		all = append(all, secret{text: text, name: name})
		if plain, err := decode(text); err == nil && plain != text {
			all = append(all, secret{text: plain, name: name})
		}
	}
	rest, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, password, _ := strings.Cut(rest[:at], ":")
		add(rest[:at], false, url.PathUnescape)
		add(user, true, url.PathUnescape)
		add(password, false, url.PathUnescape)
	}
	query, _, _ = strings.Cut(query, "#")
	for _, pair := range strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' }) {
		_, value, _ := strings.Cut(pair, "=")
		if value == "true" || value == "false" {
			continue
		}
		add(value, true, url.QueryUnescape)
		for part := range strings.SplitSeq(value, ",") { // MongoDB's authMechanismProperties
			if _, property, ok := strings.Cut(part, ":"); ok {
				add(property, true, url.QueryUnescape)
			}
		}
	}
	return all
}

// readFiles remembers the current content of the files with secrets. Earlier content is still
// known, because an answer may repeat what was sent before a file changed.
func (s *Scrubber) readFiles() {
	for _, name := range s.files {
		held, err := readfile.All(name, maxSecretFile)
		if text := strings.TrimSpace(string(held)); err == nil && text != "" {
			s.remember(append(inURL(text), secret{text: text})...)
		}
	}
}

// plainHeaders are headers that we send and that contain no secret.
var plainHeaders = []string{
	"Accept", "Accept-Encoding", "Content-Length", "Content-Type", "Host",
	"Referer", "Transfer-Encoding", "User-Agent",
}

// trace remembers the values of the headers as they are sent. They are taken from the
// connection, because the transport adds credentials after our request, such as a token that it
// has just received.
func (s *Scrubber) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
		if strings.HasPrefix(name, ":") || slices.Contains(plainHeaders, http.CanonicalHeaderKey(name)) {
			return
		}
		for _, v := range values {
			s.remember(inHeader(v)...)
		}
	}}
}

// inHeader returns a header's value, and the parts of one that is a credential.
func inHeader(value string) []secret {
	all := []secret{{text: value, name: true}}
	scheme, credential, ok := strings.Cut(value, " ")
	if !ok {
		return all
	}
	all = append(all, secret{text: credential})
	if !strings.EqualFold(scheme, "basic") {
		return all
	}
	if plain, err := base64.StdEncoding.DecodeString(credential); err == nil {
		user, password, _ := strings.Cut(string(plain), ":")
		all = append(all, secret{text: string(plain)}, secret{text: user, name: true}, secret{text: password})
	}
	return all
}
