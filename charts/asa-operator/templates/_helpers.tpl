{{/* Names, labels and other pieces that more than one template needs. */}}

{{- define "asa-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of all objects; 52 characters leave room for the longest suffix. */}}
{{- define "asa-operator.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "asa-operator.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "asa-operator.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{/* The name of what belongs to the whole cluster: two releases of one name, in two namespaces, shall not share it. */}}
{{- define "asa-operator.clusterName" -}}
{{- $namespace := include "asa-operator.namespace" . }}
{{- $name := include "asa-operator.fullname" . }}
{{- ternary $name (printf "%s-%s" $namespace $name) (eq $namespace $name) }}
{{- end }}

{{- define "asa-operator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "asa-operator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name is needed where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Who the operator is to the API server. */}}
{{- define "asa-operator.username" -}}
system:serviceaccount:{{ include "asa-operator.namespace" . }}:{{ include "asa-operator.serviceAccountName" . }}
{{- end }}

{{- define "asa-operator.leaseName" -}}
{{- default (include "asa-operator.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{/* What selects the operator's pods, and never changes. */}}
{{- define "asa-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "asa-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end }}

{{/* The labels of an object. What the chart sets goes before what the user sets. */}}
{{- define "asa-operator.labels" -}}
{{- $own := dict
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
  "app.kubernetes.io/name" (include "asa-operator.name" .)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "app.kubernetes.io/part-of" "asa-operator" }}
{{- merge $own .Values.commonLabels | toYaml }}
{{- end }}

{{/*
The metadata of an object. Arguments: context, name; if wanted namespaced, labels, annotations, and always (annotations that
the chart itself needs).
*/}}
{{- define "asa-operator.metadata" -}}
metadata:
  name: {{ .name }}
  {{- if .namespaced }}
  namespace: {{ .namespace | default (include "asa-operator.namespace" .context) }}
  {{- end }}
  labels:
    {{- merge (include "asa-operator.labels" .context | fromYaml) (.labels | default dict) | toYaml | nindent 4 }}
  {{- with mergeOverwrite (deepCopy .context.Values.commonAnnotations) (.annotations | default dict) (.always | default dict) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "asa-operator.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* The port that a URL leads to. */}}
{{- define "asa-operator.port" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $port | default (ternary "80" "443" (eq $url.scheme "http")) }}
{{- end }}

{{/* The ports through which Apple is reached, without repetition: those of the proxy where there is one. */}}
{{- define "asa-operator.applePorts" -}}
{{- $urls := list .Values.proxy.httpsProxy }}
{{- if not .Values.proxy.httpsProxy }}
{{- with .Values.apple }}
{{- $urls = list .idUrl .adsPlatformUrl .adsCampaignUrl .appStoreConnectUrl .enterpriseUrl }}
{{- end }}
{{- end }}
{{- $ports := list }}
{{- range $urls }}
{{- $ports = append $ports (include "asa-operator.port" .) }}
{{- end }}
{{- $ports | uniq | join " " }}
{{- end }}

{{/* Where the CA bundle is: a volume's source, or nothing. */}}
{{- define "asa-operator.caBundle" -}}
{{- with .Values.caBundle }}
{{- if gt (len (compact (list .pem .configMap.name .secret.name))) 1 }}
{{- fail "caBundle: give one of pem, configMap.name and secret.name" }}
{{- end }}
{{- if .pem }}
configMap:
  name: {{ include "asa-operator.fullname" $ }}-ca-bundle
  items: [{key: ca.crt, path: ca.crt}]
{{- else if .configMap.name }}
configMap:
  name: {{ .configMap.name }}
  items: [{key: {{ .configMap.key | quote }}, path: ca.crt}]
{{- else if .secret.name }}
secret:
  secretName: {{ .secret.name }}
  items: [{key: {{ .secret.key | quote }}, path: ca.crt}]
{{- end }}
{{- end }}
{{- end }}

{{/* What the operator does with Secrets of a namespace that it looks after, with its resources, and with Events. */}}
{{- define "asa-operator.rules" -}}
# The resources, and their status. get: before a Secret is given its owner back, the operator makes sure that it is there.
- apiGroups: [asa-operator.dev]
  resources: [asacredentials, appstoreconnectcredentials]
  verbs: [get, list, watch]
- apiGroups: [asa-operator.dev]
  resources: [asacredentials/status, appstoreconnectcredentials/status]
  verbs: [update]
# Private keys are read by name; Secrets with tokens and client secrets are created and changed. delete is for those that a
# change of name or mode leaves behind, always by uid and resourceVersion. Only metadata is listed and watched.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, create, patch, delete{{ if eq .Values.rbac.secrets "watch" }}, list, watch{{ end }}]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* The options of `asa-operator run`, one to a line, as a list. */}}
{{- define "asa-operator.arguments" -}}
- --http-address=0.0.0.0:8080
- --log-format={{ .Values.logFormat }}
- {{ printf "--log-filter=%s" .Values.logFilter | quote }}
- --secret-poll-interval={{ .Values.secretPollInterval }}
{{- with .Values.apple }}
- --apple-id-url={{ .idUrl }}
- --ads-platform-url={{ .adsPlatformUrl }}
- --ads-campaign-url={{ .adsCampaignUrl }}
- --app-store-connect-url={{ .appStoreConnectUrl }}
- --enterprise-url={{ .enterpriseUrl }}
- --apple-rate={{ .rate }}
- --apple-burst={{ .burst }}
{{- end }}
{{- range .Values.rbac.namespaces }}
- --namespace={{ . }}
{{- end }}
{{- if .Values.leaderElection.enabled }}
- --leader-election
- --lease-name={{ include "asa-operator.leaseName" . }}
- --lease-namespace={{ include "asa-operator.namespace" . }}
- --identity=$(POD_NAME)
{{- end }}
{{- if include "asa-operator.caBundle" . }}
- --ca-bundle=/etc/asa-operator/ca-bundle/ca.crt
{{- end }}
{{- with .Values.metrics.secure }}
{{- if .enabled }}
- --metrics-address=0.0.0.0:8443
- --metrics-tls-cert=/etc/asa-operator/metrics-tls/tls.crt
- --metrics-tls-key=/etc/asa-operator/metrics-tls/tls.key
{{- if .authorization }}
- --metrics-authorization
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.otlp.endpoint }}
- --otlp-endpoint={{ . }}
{{- end }}
{{- end }}

{{/* The beginning of a policy for what the operator does with a kind. Arguments: context, name, group, resource. */}}
{{- define "asa-operator.admissionPolicy" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
{{ include "asa-operator.metadata" . }}
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
      - apiGroups: [{{ .group | quote }}]
        apiVersions: [v1]
        resources: [{{ .resource }}]
        operations: [CREATE, UPDATE, DELETE]
  matchConditions:
    - name: is-the-operator
      expression: request.userInfo.username == {{ include "asa-operator.username" .context | trim | squote }}
{{- end }}

{{/* That it holds. */}}
{{- define "asa-operator.admissionBinding" }}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
{{ include "asa-operator.metadata" . }}
spec:
  policyName: {{ .name }}
  validationActions: [Deny]
{{- end }}
