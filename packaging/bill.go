// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// bill is the bill of materials of the programs, in CycloneDX: what Go has written into them.
func (r Release) bill(programs []string) ([]byte, error) {
	parts := map[string]cdx.Component{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, fmt.Errorf("read what %s is made of: %w", program, err)
		}
		version := strings.TrimPrefix(info.GoVersion, "go")
		parts["std"] = component(cdx.ComponentTypeLibrary, "std", version, "pkg:golang/std@"+version)
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			parts[m.Path] = component(cdx.ComponentTypeLibrary, m.Path, m.Version, "pkg:golang/"+m.Path+"@"+m.Version)
		}
	}
	var libraries []cdx.Component
	var refs []string
	for _, path := range slices.Sorted(maps.Keys(parts)) {
		libraries, refs = append(libraries, parts[path]), append(refs, parts[path].BOMRef)
	}
	main := component(cdx.ComponentTypeApplication, "carbon_exporter", r.Version,
		"pkg:golang/github.com/carbon-exporter/carbon_exporter@v"+r.Version)
	main.Licenses = &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: r.Date.Format(time.RFC3339), Component: &main}
	bom.Components = &libraries
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var b bytes.Buffer
	err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).Encode(bom)
	return b.Bytes(), err
}

func component(kind cdx.ComponentType, name, version, purl string) cdx.Component {
	return cdx.Component{Type: kind, Name: name, Version: version, PackageURL: purl, BOMRef: purl}
}
