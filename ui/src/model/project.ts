/** The project that an address of the page names, in `project=`. Without one the server takes the first. */

export const projectOf = (search: string): string | null => new URLSearchParams(search).get('project');

/** An address, of the page or of the API, in the project of where one is; one that names a project stays what it is. */
export function inProjectOf(search: string, url: string): string {
  const project = projectOf(search);
  const [path = '', query = ''] = url.split('?', 2);
  if (project === null || projectOf(query) !== null) return url;
  return `${path}?${query === '' ? '' : `${query}&`}project=${encodeURIComponent(project)}`;
}
