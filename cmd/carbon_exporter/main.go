// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// Command carbon_exporter reads the CPU seconds of virtual machines from a Prometheus server
// and republishes their energy and emissions. The package exporter is the program.
package main

import (
	"os"
	_ "time/tzdata" // for an image, or a Windows, without time zones

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/exporter"
)

func main() { os.Exit(exporter.Run(os.Args[1:], os.Stdout, os.Stderr)) }
