/** Past what is long: a link that is seen when the focus comes to it. */
interface Props {
  /** Id of what it leads to. */
  to: string;
  children: string;
}

export function Skip({ to, children }: Props) {
  return (
    <a
      class="button skip"
      href={`#${to}`}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById(to)?.focus();
      }}
    >
      {children}
    </a>
  );
}
