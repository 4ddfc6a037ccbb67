/** What the server says, as docs/http-api.md has it. Times are RFC 3339 with nanoseconds, durations are seconds. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type Status = 'ok' | 'error' | 'unset' | 'running';

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
  /** It has spans that have not ended. */
  running?: boolean;
  error_message: string | null;
}

/** A span as it stands in the tree: what is not known is left out, texts are cut. */
export interface Branch {
  depth: number;
  span_unique_id: string;
  span_parent_id?: string;
  name?: string;
  log_type: string;
  /** Seconds since the trace's start. */
  start: number;
  latency: number;
  status_code?: Status;
  error_message?: string;
  interrupted?: boolean;
  /** It has not ended: its latency is not known. Without a name: one that others name and that has not come. */
  running?: boolean;
  model?: string;
  prompt_tokens?: number;
  completion_tokens?: number;
  cost?: number;
  time_to_first_token?: number;
}

export interface Span {
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
  /** Of the prompt's, and of the completion's. */
  cached_tokens?: number | null;
  reasoning_tokens?: number | null;
  usage_source: string | null;
  cost: number | null;
  cost_source?: string | null;
  status_code: Status;
  error_message: string | null;
  interrupted?: boolean | null;
  thread_identifier?: string | null;
  customer_identifier?: string | null;
  environment?: string | null;
  /** Set where a link leaves content out. */
  withheld?: true;
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

export interface SpanEvent {
  name: string;
  time: string;
  attributes: JsonObject | null;
}

/** What is said of a trace beside its spans. */
export interface TraceFacts extends Omit<Trace, 'input' | 'output'> {
  next_since: string;
}

/** What arrived since, as ?view=tree has it. */
export interface TraceSince extends TraceFacts {
  spans: Branch[];
}

export interface Page<T> {
  count: number | null;
  count_is_estimate: boolean;
  hint?: string;
  results: T[];
  next: string | null;
  previous: string | null;
}

/** A field's values among what fits, those that most have first. */
export interface Facet {
  field: string;
  distinct: number;
  values: { value: string | number | boolean | null; is_others: boolean; count: number; error_count: number }[];
}

export type Role = 'viewer' | 'member' | 'owner';

export interface Session {
  project: string;
  spans: number;
  traces: number;
  bytes: number;
  version: string;
  project_id: number;
  /** The one of the project, whose role is `role`. */
  organization_id: number;
  organizations: { id: number; name: string; role: Role | null }[];
  projects: { id: number; name: string; organization: number; role: Role | null }[];
  user: { id: number; email: string; name: string; has_password: boolean } | null;
  role: Role | null;
  /** Whether prices and new organizations are his to make. */
  server_owner: boolean;
  csrf_token: string | null;
}

export interface Quantiles {
  mean: number;
  p50: number;
  p90: number;
  p95: number;
  p99: number;
}

/** What is summed up of many traces. */
export interface Sums {
  count: number;
  error_count: number;
  llm_call_count: number;
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  cost: number;
  latency: Quantiles | null;
  time_to_first_token: Quantiles | null;
  tokens_per_second: Quantiles | null;
}

export interface Totals extends Sums {
  first_time: string | null;
  last_time: string | null;
}

/** The traces that share a value: those of a user, of a thread, with a model. */
export interface Group extends Totals {
  value: string | null;
  /** All that are not told apart, or come behind this page. */
  is_others: boolean;
  latest?: Trace | null;
}

export interface Groups {
  group_count: number;
  is_estimate: boolean;
  totals: Totals;
  groups: Group[];
}

export interface Series {
  start_time: string;
  end_time: string;
  bucket_seconds: number;
  is_estimate: boolean;
  groups: { value: string | null; points: (Sums & { time: string })[] }[];
}
