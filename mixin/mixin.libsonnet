// Copyright The carbon_exporter Authors
// SPDX-License-Identifier: Apache-2.0

// The rules and dashboards of carbon_exporter as a mixin. They are the very files of this
// repository, so install all of it: docs/alerts.md says how. Limits, intervals and names reach
// the rules as metrics, which is why there is so little to configure.
local runbooks = 'https://github.com/carbon-exporter/carbon_exporter/blob/main/docs/runbooks';
// What stands in the files for the Grafana of a site.
local grafana = 'https://grafana.example.org';

local groups = std.flattenArrays([
  std.parseYaml(file).groups
  for file in [
    importstr '../internal/rules/carbon-budgets.yml',
    importstr '../internal/rules/carbon-data.yml',
    importstr '../internal/rules/carbon-exporter.yml',
    importstr '../internal/rules/carbon-recording.yml',
  ]
]);

local having(key) = [
  group { rules: [rule for rule in group.rules if std.objectHas(rule, key)] }
  for group in groups
  if std.length([rule for rule in group.rules if std.objectHas(rule, key)]) > 0
];

{
  _config+:: {
    // Where your copy of docs/runbooks is.
    runbookURL: runbooks,
    // Where your Grafana is. Empty: alerts lead to no dashboard.
    grafanaURL: '',
    // Labels that every alert gets, for the routes of your Alertmanager.
    alertLabels: {},
    // Tags of every dashboard, besides its own.
    dashboardTags: [],
  },

  local config = self._config,

  local under(from, to, text) = std.strReplace(text, from + '/', std.rstripChars(to, '/') + '/'),

  local links(annotations) = {
    [key]: under(grafana, config.grafanaURL, under(runbooks, config.runbookURL, annotations[key]))
    for key in std.objectFields(annotations)
    if key != 'dashboard_url' || config.grafanaURL != ''
  },

  prometheusAlerts+:: {
    groups+: [
      group {
        rules: [
          alert {
            labels+: config.alertLabels,
            annotations: links(alert.annotations),
          }
          for alert in group.rules
        ],
      }
      for group in having('alert')
    ],
  },

  prometheusRules+:: {
    groups+: having('record'),
  },

  grafanaDashboards+:: {
    [name]: boards[name] { tags+: config.dashboardTags }
    for name in std.objectFields(boards)
  },

  local boards = {
    'carbon-budgets.json': import '../dashboards/carbon-budgets.json',
    'carbon-detail.json': import '../dashboards/carbon-detail.json',
    'carbon-exporter.json': import '../dashboards/carbon-exporter.json',
    'carbon-machine.json': import '../dashboards/carbon-machine.json',
    'carbon-overview.json': import '../dashboards/carbon-overview.json',
    'carbon-year.json': import '../dashboards/carbon-year.json',
  },
}
