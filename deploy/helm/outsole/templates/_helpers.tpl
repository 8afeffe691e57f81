{{- define "outsole.labels" -}}
app.kubernetes.io/name: outsole
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "outsole.milvusUri" -}}
{{- if .Values.milvus.enabled -}}
http://{{ .Release.Name }}-milvus:19530
{{- else -}}
{{ required "milvus.externalUri is needed where milvus.enabled is false" .Values.milvus.externalUri }}
{{- end -}}
{{- end }}

{{- define "outsole.rayContainer" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
envFrom:
  - configMapRef: {name: {{ .Release.Name }}-settings}
volumeMounts:
  - {name: editions, mountPath: /var/lib/outsole}
{{- end }}
