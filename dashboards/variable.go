// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func datasourceVariable() dashboard.VariableModel {
	return must(dashboard.NewDatasourceVariableBuilder("datasource").Label("Data source").Type("prometheus").
		Description("The Prometheus that scrapes carbon_exporter.").
		Current(option("default", "default")))
}

// zoneVariable shows the time zone of days. It has a single value, because the exporter
// decides when a day starts: another choice here would change only the text.
func zoneVariable(zone string) dashboard.VariableModel {
	return must(dashboard.NewCustomVariableBuilder("timezone").Label("Time zone").
		Description("Time zone of days, months and years: that of the exporter configuration and of this dashboard.").
		Values(dashboard.StringOrMap{String: &zone}).Current(option(zone, zone)).AllowCustomValue(false))
}

// labelVariable offers the values of a label of a metric of the chosen exporters.
func labelVariable(name, label, about, metric string) dashboard.VariableModel {
	return must(labelQuery(name, label, about, scoped(metric)).IncludeAll(true).AllValue(".*").Current(option("All", "$__all")))
}

func labelQuery(name, label, about, metric string) *dashboard.QueryVariableBuilder {
	query := "label_values(" + metric + ", " + name + ")"
	return dashboard.NewQueryVariableBuilder(name).Label(label).Description(about).
		Query(dashboard.StringOrMap{String: &query}).Definition(query).Datasource(source).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortNaturalAsc).Multi(true)
}

// choice is a variable with fixed options: text and value of each.
func choice(name, label, about string, options ...[2]string) dashboard.VariableModel {
	var list []string
	for _, o := range options {
		list = append(list, o[0]+" : "+o[1])
	}
	all := strings.Join(list, ",")
	return must(dashboard.NewCustomVariableBuilder(name).Label(label).Description(about).
		Values(dashboard.StringOrMap{String: &all}).Current(option(options[0][0], options[0][1])).AllowCustomValue(false))
}

// entry is a variable to type in.
func entry(name, label, about, value string) dashboard.VariableModel {
	return must(dashboard.NewTextBoxVariableBuilder(name).Label(label).Description(about).
		DefaultValue(dashboard.StringOrMap{String: &value}).Current(option(value, value)))
}

func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Selected: new(true),
		Text:     dashboard.StringOrArrayOfString{String: &text}, Value: dashboard.StringOrArrayOfString{String: &value},
	}
}

// must builds what cannot fail: its input is in this package.
func must[T any](b cog.Builder[T]) T {
	built, err := b.Build()
	if err != nil {
		panic(err)
	}
	return built
}
