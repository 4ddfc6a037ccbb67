/** A value kept in this browser between visits. A browser that keeps nothing still works. */
import { useCallback, useState } from 'preact/hooks';

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // private windows may refuse
  }
}

/** A text that is kept; the initial one where nothing is. */
export function useKept(key: string, initial: string): [string, (to: string) => void] {
  const [value, setValue] = useState(() => read(key) ?? initial);
  const keep = useCallback(
    (to: string) => {
      setValue(to);
      write(key, to);
    },
    [key],
  );
  return [value, keep];
}

export function useSize(key: string, initial: number): [number, (size: number) => void] {
  const [size, setSize] = useState(() => {
    const kept = Number(read(key));
    return Number.isFinite(kept) && kept > 0 ? kept : initial;
  });
  const keep = useCallback(
    (to: number) => {
      setSize(to);
      write(key, String(to));
    },
    [key],
  );
  return [size, keep];
}

/** A choice that is off until one has made it. */
export function useFlag(key: string): [boolean, (on: boolean) => void] {
  const [on, setOn] = useState(() => read(key) === '1');
  const keep = useCallback(
    (to: boolean) => {
      setOn(to);
      write(key, to ? '1' : null);
    },
    [key],
  );
  return [on, keep];
}

export type Theme = 'auto' | 'light' | 'dark';

export function readTheme(): Theme {
  const kept = read('respan.theme');
  return kept === 'light' || kept === 'dark' ? kept : 'auto';
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  write('respan.theme', theme === 'auto' ? null : theme);
}
