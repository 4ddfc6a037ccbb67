/** A text that is told when typing pauses, and follows the address while nobody types. */
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { spelled } from '../model/filter';

const typingPause = 200;

export interface TypedText {
  text: string;
  /** Every key. */
  typed: (to: string) => void;
  /** What is meant as it stands: told at once. */
  said: (to: string) => void;
}

export function useTypedText(
  value: string,
  input: RefObject<HTMLInputElement | null>,
  onChange: (text: string) => void,
): TypedText {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef(onChange);
  latest.current = onChange;
  useLayoutEffect(() => {
    if (document.activeElement !== input.current) setText(value);
  }, [value, input]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );
  const said = (to: string): void => {
    setText(to);
    clearTimeout(timer.current);
    latest.current(to.trim());
  };
  const typed = (to: string): void => {
    setText(to);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      latest.current(to.trim());
    }, typingPause);
  };
  return { text: spelled(text), typed, said };
}
