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
    <div class="banner" role="status">
      {explain(error)}
    </div>
  );
}

/** In the place of what could not be shown at all. */
export function Failed({ error, what }: { error: ApiError; what: string }) {
  const missing = error.failure === 'not-found';
  return (
    <div class="notice" role="alert">
      <h2>{missing ? `There is no such ${what}` : `Could not load the ${what}`}</h2>
      <p>{missing ? 'It may not have arrived yet, or it was removed.' : explain(error)}</p>
      {missing && <Link to="/">All traces</Link>}
    </div>
  );
}
