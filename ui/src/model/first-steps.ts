/** What one does so that traces come: by program, with a key filled in once there is one. */

export interface Steps {
  id: string;
  label: string;
  says: string;
  code: string;
}

/** `origin`: of this server. `key` null: whoever runs the program on the server's machine has one in a file. */
export function firstSteps(origin: string, key: string | null): Steps[] {
  const credentials = '. ~/.config/respan/credentials';
  const where = key === null ? '' : `api_key="${key}", base_url="${origin}/api", `;
  return [
    {
      id: 'python',
      label: 'Python',
      says: 'Three lines at the top of your script, and its next run shows up here by itself:',
      code: `from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
Respan(${where}instrumentations=[HuggingFaceInstrumentor()])`,
    },
    {
      id: 'c',
      label: 'C',
      says: 'A program that links librespan finds the server by these variables:',
      code:
        key === null
          ? `${credentials}
export RESPAN_API_KEY RESPAN_BASE_URL`
          : `export RESPAN_API_KEY=${key}
export RESPAN_BASE_URL=${origin}/api`,
    },
    {
      id: 'otel',
      label: 'OpenTelemetry',
      says: 'Any OpenTelemetry SDK, unchanged, sends here by these variables:',
      code: `${key === null ? `${credentials}\n` : ''}export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_HEADERS="x-api-key=${key ?? '$RESPAN_API_KEY'}"`,
    },
  ];
}
