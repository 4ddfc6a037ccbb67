/** What leads from marked traces and spans to where they are compared. */
import { compareUrl } from '../model/route';
import { go } from '../navigation';
import { Link } from '../widgets/link';
import { toggleMark, useMarks } from '../widgets/marks';

/** The two that are meant: both marked, or the one that is and the one that is looked at. */
function meant(marks: string[], here: string | null): [string, string] | null {
  const [a, b] = marks;
  if (a !== undefined && b !== undefined) return [a, b];
  return a !== undefined && here !== null && here !== a ? [a, here] : null;
}

export function compareMarked(marks: string[], here: string | null): boolean {
  const two = meant(marks, here);
  if (two) go(compareUrl(...two));
  return two !== null;
}

/** Over the list's end, as soon as something is marked. */
export function CompareMarked({ marks }: { marks: string[] }) {
  const two = meant(marks, null);
  if (marks.length === 0) return null;
  if (!two)
    return (
      <span class="button floats" role="status">
        1 marked
      </span>
    );
  const url = compareUrl(...two);
  return (
    <Link class="button floats" to={url} title="Compare the two marked (=)">
      Compare
    </Link>
  );
}

/** In a span's pane: marks the span, or compares it with what was marked last. */
export function MarkSpan({ trace, span }: { trace: string; span: string }) {
  const marks = useMarks();
  const here = `${trace}.${span}`;
  const other = marks.filter((m) => m !== here).at(-1);
  const marked = marks.includes(here);
  return (
    <>
      <button
        type="button"
        class="chip"
        aria-pressed={marked}
        onClick={() => {
          toggleMark(here);
        }}
      >
        {marked ? 'marked' : 'mark to compare'}
      </button>
      {other !== undefined && (
        <button
          type="button"
          class="chip"
          onClick={() => {
            go(compareUrl(other, here));
          }}
        >
          compare with the marked
        </button>
      )}
    </>
  );
}
