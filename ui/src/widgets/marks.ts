/** What was marked to be compared: two traces or spans at most, kept while the tab is open. */
import { useLayoutEffect, useState } from 'preact/hooks';

const key = 'respan.marked';
const changed = 'respan:marked';

function read(): string[] {
  try {
    return (sessionStorage.getItem(key) ?? '').split(' ').filter((mark) => mark !== '');
  } catch {
    return [];
  }
}

/** Marks it, or takes its mark off; a third takes the place of the first. */
export function toggleMark(mark: string): void {
  const marks = read();
  const left = marks.includes(mark) ? marks.filter((m) => m !== mark) : [...marks, mark].slice(-2);
  try {
    sessionStorage.setItem(key, left.join(' '));
  } catch {
    return; // private windows may refuse
  }
  dispatchEvent(new Event(changed));
}

export function useMarks(): string[] {
  const [marks, setMarks] = useState(read);
  useLayoutEffect(() => {
    const again = (): void => {
      setMarks(read());
    };
    addEventListener(changed, again);
    return () => {
      removeEventListener(changed, again);
    };
  }, []);
  return marks;
}
