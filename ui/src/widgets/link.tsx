/** A link within the page: a plain click stays in it, and the project that the address names goes along. */
import type { ComponentChildren } from 'preact';
import { follow, here } from '../navigation';

interface Props {
  to: string;
  class?: string | undefined;
  title?: string;
  tabIndex?: number;
  'aria-label'?: string;
  'aria-current'?: 'page' | undefined;
  /** Before one goes there. */
  onGo?: () => void;
  children: ComponentChildren;
}

export function Link({ to, onGo, ...rest }: Props) {
  return (
    <a
      {...rest}
      href={here(to)}
      onClick={(event) => {
        onGo?.();
        follow(event, to);
      }}
    />
  );
}
