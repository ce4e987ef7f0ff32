module github.com/carbon-exporter/carbon_exporter/dashboards

go 1.26.7

require github.com/grafana/grafana-foundation-sdk/go v0.0.12

require github.com/carbon-exporter/carbon_exporter v0.0.0-00010101000000-000000000000

replace github.com/carbon-exporter/carbon_exporter => ../
