/** What went wrong, in words. */
import type { ApiError } from '../api/client';
import { Link } from './link';

/** Of what is asked for again by itself. */
export function explain(error: ApiError): string {
  if (error.failure === 'away')
    return `The server at ${location.host} does not answer. Trying again every two seconds.`;
  return error.message;
}

/** Of what somebody has just tried; nothing where nothing is wrong. */
export function Wrong({ error }: { error: ApiError | null }) {
  if (error === null) return null;
  return (
    <p class="bad" role="alert">
      {error.failure === 'away'
        ? `The server at ${location.host} does not answer: try again in a moment.`
        : error.message}
    </p>
  );
}

/** Above what is still shown, though it could not be asked for again. */
export function Banner({ error }: { error: ApiError }) {
  return (
    <div class="banner floats" role="status">
      {explain(error)}
    </div>
  );
}

/** In the place of what could not be shown at all. */
export function Failed({ error, what, id = '' }: { error: ApiError; what: string; id?: string }) {
  const missing = error.failure === 'not-found';
  const unsaid = id.includes('\0');
  return (
    <div class="notice" role="alert">
      <h2>{missing ? `There is no such ${what}` : `Could not load the ${what}`}</h2>
      <p>
        {missing
          ? 'It may not have arrived yet, or it was removed.'
          : unsaid
            ? 'There is a NUL in its name, which no question to the server can have. Its traces stand in the list.'
            : explain(error)}
      </p>
      {(missing || unsaid) && <Link to="/">All traces</Link>}
    </div>
  );
}
