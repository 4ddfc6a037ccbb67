/** What the server says, as docs/http-api.md has it. Times are RFC 3339 with nanoseconds, durations are seconds. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Status = 'ok' | 'error' | 'unset';

export interface Trace {
  trace_unique_id: string;
  root_span_unique_id: string | null;
  name: string | null;
  log_type: string | null;
  start_time: string;
  end_time: string;
  duration: number | null;
  span_count: number;
  llm_call_count: number;
  error_count: number;
  total_tokens: number | null;
  total_prompt_tokens: number | null;
  total_completion_tokens: number | null;
  total_cost: number | null;
  time_to_first_token: number | null;
  tokens_per_second: number | null;
  model: string | null;
  input: string | null;
  output: string | null;
  metadata: JsonObject | null;
  customer_identifier: string | null;
  session_identifier: string | null;
  environment: string | null;
  status_code: Status;
  error_message: string | null;
}

/** A span as it stands in the tree: small facts, no content. */
export interface SpanHead {
  trace_unique_id: string;
  span_unique_id: string;
  span_parent_id: string | null;
  span_name: string;
  name: string | null;
  span_workflow_name?: string | null;
  span_path?: string | null;
  kind?: string | number | null;
  log_type: string | null;
  model: string | null;
  provider?: string | null;
  start_time: string;
  timestamp: string;
  latency: number | null;
  time_to_first_token: number | null;
  tokens_per_second: number | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  total_tokens?: number | null;
  usage_source: string | null;
  cost: number | null;
  status_code: Status;
  error_message: string | null;
  interrupted?: boolean | null;
  thread_identifier?: string | null;
  customer_identifier?: string | null;
  environment?: string | null;
  children?: SpanHead[];
}

export interface SpanEvent {
  name: string;
  time: string;
  attributes: JsonObject | null;
}

export interface Span extends SpanHead {
  input: Json;
  output: Json;
  metadata: JsonObject | null;
  parameters: JsonObject | null;
  attributes: JsonObject | null;
  events: SpanEvent[] | null;
  links: Json[] | null;
  resource: JsonObject | null;
  scope: { name: string | null; version: string | null; attributes: JsonObject | null } | null;
}

export interface TraceWithTree extends Trace {
  span_tree: SpanHead[];
}

export interface Page<T> {
  count: number | null;
  count_is_estimate: boolean;
  results: T[];
  next: string | null;
  previous: string | null;
}

export interface Session {
  project: string;
  spans: number;
  traces: number;
  bytes: number;
  version: string;
}
