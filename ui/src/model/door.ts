/** Where one goes from the door: back to where one came from, if that is a path of this page. */
export function nextPath(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  return /^\/(?![/\\])[!-[\]-~]*$/.test(next) ? next : '/';
}
