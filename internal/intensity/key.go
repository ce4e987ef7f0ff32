// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package intensity

import (
	"net/url"
	"strings"

	"github.com/carbon-exporter/carbon_exporter/internal/usage"
)

// keyOf returns the key of an API. It is read for each request, because the file that holds it may
// change.
func keyOf(token func() (string, error)) (string, error) {
	const advice = "set token_file to the file that holds the key of the API, or token to the key"
	if token == nil {
		return "", &usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Detail: "there is no key: " + advice, Cause: "there is no key: " + advice}
	}
	key, err := token()
	if err != nil {
		return "", &usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Detail: "the key cannot be read; " + advice, Err: err}
	}
	if key = strings.TrimSpace(key); key == "" {
		return "", &usage.Failure{Reason: usage.ReasonAuth, Permanent: true, Detail: "the key is empty: " + advice, Cause: "the key is empty: " + advice}
	}
	return key, nil
}

// refusedKey says what to do about a key that the API does not accept.
func refusedKey(err error) error {
	if f := usage.FailureOf(err); f != nil && f.Reason == usage.ReasonAuth && f.Status != 0 {
		plain := *f
		plain.Cause = "the API does not accept the key: correct token_file or token, or ask the API's owner to enable the key"
		return &plain
	}
	return err
}

// rootOf is an address without the slashes at its end and without one of these ends, with which
// some people write it: what follows has it.
func rootOf(address string, ends ...string) string {
	address = strings.TrimRight(address, "/")
	for _, end := range ends {
		if short, ok := strings.CutSuffix(address, end); ok {
			return strings.TrimRight(short, "/")
		}
	}
	return address
}

// withQuery adds to the query of an address, which may have one.
func withQuery(address string, question url.Values) string {
	if strings.Contains(address, "?") {
		return strings.TrimRight(address, "&") + "&" + question.Encode()
	}
	return address + "?" + question.Encode()
}
