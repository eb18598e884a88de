{{- define "convenor.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "convenor.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "convenor.labels" -}}
{{ include "convenor.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "convenor.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.database.existingSecret) -}}
{{- fail "replicas > 1 needs PostgreSQL: SQLite serves one instance; set database.existingSecret" -}}
{{- end -}}
{{- if not (or .Values.secrets.secretToken .Values.secrets.signingToken) -}}
{{- fail "without a webhook secret no delivery could be believed: set secrets.secretToken or secrets.signingToken" -}}
{{- end -}}
{{- if not .Values.publicUrl -}}
{{- fail "publicUrl is not set: GitLab has to know where to send webhooks" -}}
{{- end -}}
{{- end -}}
