// Command carbon_exporter asks a Prometheus for the CPU seconds of virtual machines
// and republishes their energy and emissions. The program is the package exporter.
package main

import (
	"os"

	"github.com/carbon-exporter/carbon_exporter/cmd/internal/exporter"
)

func main() { os.Exit(exporter.Run(os.Args[1:], os.Stdout, os.Stderr)) }
