/** Lines to copy. */
import { Copy } from './copy';

export function CodeLines({ text, label }: { text: string; label: string }) {
  return (
    <div class="code">
      <pre tabIndex={0}>{text}</pre>
      <Copy text={text} label={label}>
        Copy
      </Copy>
    </div>
  );
}
