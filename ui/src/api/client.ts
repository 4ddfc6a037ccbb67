/** The one place that talks to the server. */
import { inProjectOf } from '../model/project';

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
    /** Of a filter's text: the byte that is at fault. */
    readonly position: number | null = null,
  ) {
    super(message);
  }
}

/** The error of a response: the server's own words where it gave some. */
function errorOf(status: number, body: string): ApiError {
  let message = `the server answered ${String(status)}`;
  let field: string | null = null;
  let position: number | null = null;
  try {
    const { error: said } = JSON.parse(body) as {
      error?: { message?: string; field?: string | null; position?: number };
    };
    message = said?.message ?? message;
    field = said?.field ?? null;
    position = said?.position ?? null;
  } catch {
    // not ours: a proxy's page, say
  }
  const failure = status === 401 ? 'signed-out' : status === 404 ? 'not-found' : status >= 502 ? 'away' : 'refused';
  return new ApiError(failure, message, field, position);
}

/** Set by what the session says: without it the server lets nothing be changed by cookie. */
let csrfToken = '';
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** The API's path for the project that the address bar names; the server knows which is meant if it names none. */
export const inProject = (path: string): string => inProjectOf(location.search, path);

/** What came of it; an error that is not the server's own is that nobody answers. */
async function reached<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError('away', 'no answer');
  }
}

async function ask(path: string, init: RequestInit): Promise<string> {
  const response = await reached(fetch(inProject(path), init));
  const body = await reached(response.text());
  if (!response.ok) throw errorOf(response.status, body);
  return body;
}

const reading = (signal?: AbortSignal): RequestInit => ({
  headers: { accept: 'application/json' },
  signal: signal ?? null,
});

/** The body of a GET as text. An aborted request rejects with the signal's own AbortError. */
export const getText = (path: string, signal?: AbortSignal): Promise<string> => ask(path, reading(signal));

/** The lines of a GET, each of them JSON, as they come. */
export async function* getLines(path: string, signal?: AbortSignal): AsyncGenerator<unknown, void> {
  const response = await reached(fetch(inProject(path), reading(signal)));
  if (!response.ok || !response.body) throw errorOf(response.status, await reached(response.text()));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest: string[] = []; // of a line whose end has not come
  for (;;) {
    const { done, value = '' } = await reached(reader.read());
    let from = 0;
    for (let end = value.indexOf('\n'); end >= 0; end = value.indexOf('\n', from)) {
      rest.push(value.slice(from, end));
      from = end + 1;
      const line = rest.join('');
      rest = [];
      yield parse(line);
    }
    rest.push(value.slice(from));
    if (done) return;
  }
}

/** Has something changed; the answer's JSON. */
export async function send<T>(method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-csrf-token': csrfToken };
  if (body !== undefined) headers['content-type'] = 'application/json';
  return parse<T>(await ask(path, { method, headers, body: body === undefined ? null : JSON.stringify(body) }));
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
