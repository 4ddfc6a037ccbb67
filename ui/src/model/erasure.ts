/** What is said of the disk after a deletion: that it is rid of it only when it is. */
interface State {
  compacting: boolean;
  erased: boolean;
  error: string | null;
}

/** `what`: "3 traces". `state` null: the server has not said yet. */
export function erasure(what: string, state: State | null): string {
  if (state === null || state.compacting) return `${what} deleted. The disk is being rid of them …`;
  if (state.erased) return `${what} deleted, and gone from the disk.`;
  if (state.error === null) return `${what} deleted. The disk will be rid of them within minutes.`;
  return `${what} deleted from every answer, but not yet gone from the disk: ${state.error}. The server tries again each minute.`;
}

export const askSeldomMs = 2000;
const askEveryMs = 500;

/** When the server is asked again; null: it is done. The disk may be rid of it before the server says that it is not at it any more. */
export const askAgainMs = ({ compacting, erased }: Pick<State, 'compacting' | 'erased'>): number | null =>
  compacting ? askEveryMs : erased ? null : askSeldomMs;
