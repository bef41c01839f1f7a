// The rules and alerts as a mixin. They are read from the YAML files beside this folder, so that they
// stand in one place; `_config` changes what is yours to set:
//
//   (import 'mixin.libsonnet') + { _config+:: { bounds+: { 'cometchat:calls_in_1h:guard': 50 } } }
{
  _config+:: {
    // Bounds by the name of their series, as in the group cometchat_settings.
    bounds: {},
    // User-minutes that an app may use in a month, by the name of the app.
    quotas: {},
    // A regular expression for the job of the exporter.
    job: '.*cometchat.*',
    // The page that runbook_url leads to.
    runbooks: 'https://github.com/OWNER/cometchat-exporter/blob/main/docs/runbooks.md',
    // Alerts to leave out.
    without: [],
  },

  local config = self._config,

  local withBound(rule) =
    rule + (
      if std.objectHas(config.bounds, rule.record) then { expr: 'vector(%s)' % config.bounds[rule.record] } else {}
    ),
  local quota(app) = {
    record: 'cometchat_app:participant_minutes:quota',
    expr: 'vector(%s)' % config.quotas[app],
    labels: { cometchat_app: app },
  },
  local settings(group) =
    local names = [rule.record for rule in group.rules];
    local unknown = std.setDiff(std.set(std.objectFields(config.bounds)), std.set(names));
    assert unknown == [] : 'no such bound: %s' % unknown;
    group { rules: [withBound(rule) for rule in group.rules] + [quota(app) for app in std.objectFields(config.quotas)] },

  local withConfig(alert) = alert {
    expr: std.strReplace(alert.expr, 'job=~".*cometchat.*"', 'job=~"%s"' % config.job),
    annotations+: {
      runbook_url: config.runbooks + '#' + std.asciiLower(alert.alert),
    },
  },

  prometheusRules+:: {
    groups+: [
      if group.name == 'cometchat_settings' then settings(group) else group
      for group in std.parseYaml(importstr '../cometchat.rules.yml').groups
    ],
  },
  prometheusAlerts+:: {
    groups+: [
      group { rules: [withConfig(alert) for alert in group.rules if !std.member(config.without, alert.alert)] }
      for group in std.parseYaml(importstr '../cometchat.alerts.yml').groups
    ],
  },
}
