// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Package readfiletest makes what is no regular file, for the tests of what reads files. It knows
// one thing that differs by system, so that those tests compile on each. Start with Pipe.
package readfiletest
