/** The one place that talks to the server. */

export type Failure =
  | 'away' // nobody answers
  | 'signed-out'
  | 'not-found'
  | 'refused'; // the server understood and said no, or said something we cannot read

export class ApiError extends Error {
  constructor(
    readonly failure: Failure,
    message: string,
    readonly field: string | null = null,
  ) {
    super(message);
  }
}

/** The error of a response: the server's own words where it gave some. */
function errorOf(status: number, body: string): ApiError {
  let message = `the server answered ${String(status)}`;
  let field: string | null = null;
  try {
    const said = (JSON.parse(body) as { error?: { message?: string; field?: string | null } }).error;
    message = said?.message ?? message;
    field = said?.field ?? null;
  } catch {
    // not ours: a proxy's page, say
  }
  const failure = status === 401 ? 'signed-out' : status === 404 ? 'not-found' : status >= 502 ? 'away' : 'refused';
  return new ApiError(failure, message, field);
}

/** The body of a GET as text. An aborted request rejects with the signal's own AbortError. */
export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(path, { headers: { accept: 'application/json' }, signal: signal ?? null });
    body = await response.text();
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError('away', 'no answer');
  }
  if (!response.ok) throw errorOf(response.status, body);
  return body;
}

export function parse<T>(body: string): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new ApiError('refused', 'the answer is not JSON');
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return parse<T>(await getText(path, signal));
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

export function asApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError('refused', error instanceof Error ? error.message : String(error));
}
