import { useEffect, useState } from 'preact/hooks';

/** Copies without asking the clipboard permission where the page is not a secure context (plain http, not loopback). */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement('textarea');
    area.value = text;
    area.className = 'unseen';
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

interface Props {
  text: string | (() => string);
  label: string;
  /** What the button shows; without it, a small icon. */
  children?: string;
}

export function Copy({ text, label, children }: Props) {
  const [said, setSaid] = useState<'' | 'copied' | 'failed'>('');
  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => {
      setSaid('');
    }, 1200);
    return () => {
      clearTimeout(timer);
    };
  }, [said]);
  const copy = (event: MouseEvent): void => {
    event.stopPropagation();
    void copyText(typeof text === 'string' ? text : text()).then((done) => {
      setSaid(done ? 'copied' : 'failed');
    });
  };
  return (
    <button
      type="button"
      class={children === undefined ? 'copy' : 'button'}
      title={label}
      aria-label={label}
      onClick={copy}
    >
      {said === 'failed'
        ? '✗'
        : said === 'copied'
          ? children === undefined
            ? '✓'
            : 'Copied'
          : (children ?? <CopyIcon />)}
    </button>
  );
}

function CopyIcon() {
  return (
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
      <path
        d="M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z"
        fill="none"
        stroke="currentColor"
        stroke-width="1.3"
        stroke-linejoin="round"
      />
    </svg>
  );
}
