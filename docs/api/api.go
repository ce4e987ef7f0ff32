// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package api has the description of the HTTP API, which the program serves. It knows nothing else.
// Start with OpenAPI.
package api

import _ "embed" // for the file

// OpenAPI is the description of the API.
//
//go:embed openapi.yml
var OpenAPI []byte
