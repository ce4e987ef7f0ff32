{{- define "carbon-exporter.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
52 letters: Kubernetes puts a hash behind the name of a StatefulSet and makes a label of
both, which may have 63.
*/}}
{{- define "carbon-exporter.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "carbon-exporter.selector" -}}
app.kubernetes.io/name: {{ include "carbon-exporter.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of an object: takes a list of the root and of more labels, the last of which count. */}}
{{- define "carbon-exporter.labels" -}}
{{- $root := index . 0 -}}
{{- $labels := merge (dict) (include "carbon-exporter.selector" $root | fromYaml) (dict
  "app.kubernetes.io/version" (trunc 63 $root.Chart.AppVersion)
  "app.kubernetes.io/managed-by" $root.Release.Service
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")) -}}
{{- range rest . -}}
{{- $labels = merge $labels . -}}
{{- end -}}
{{- merge $labels $root.Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "carbon-exporter.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "carbon-exporter.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "carbon-exporter.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What the kubelet asks: takes a list of the root and of a path. */}}
{{- define "carbon-exporter.probe" -}}
{{- $root := index . 0 -}}
{{- if eq $root.Values.web.probes "tcp" -}}
tcpSocket: {port: metrics}
{{- else -}}
httpGet: {path: {{ index . 1 }}, port: metrics, scheme: {{ $root.Values.web.scheme }}}
{{- end -}}
{{- end -}}

{{- define "carbon-exporter.files" -}}
{{- merge (dict "carbon.yml" .Values.config) .Values.files | toYaml -}}
{{- end -}}
