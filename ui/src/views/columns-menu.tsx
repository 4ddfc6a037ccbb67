/** Which columns the list shows, in what order: by drag or by keys. */
import { useState } from 'preact/hooks';
import { choices, moveColumn, toggleColumn, type Column } from '../model/columns';
import { Popover } from '../widgets/popover';

interface Props {
  shown: Column[];
  /** Of metadata. */
  keys: string[];
  onChange: (shown: Column[]) => void;
}

export function ColumnsMenu(props: Props) {
  return (
    <Popover label="Columns" title="Columns of the list">
      {() => <Choices {...props} />}
    </Popover>
  );
}

function Choices({ shown, keys, onChange }: Props) {
  const [dragged, setDragged] = useState<number | null>(null);
  return (
    <ul class="columns">
      {choices(shown, keys).map((column, i) => {
        const isShown = i < shown.length;
        return (
          <li
            key={column.id}
            draggable={isShown}
            onDragStart={() => {
              setDragged(i);
            }}
            onDragOver={(event) => {
              if (dragged !== null && isShown) event.preventDefault();
            }}
            onDrop={(event) => {
              event.preventDefault();
              if (dragged !== null) onChange(moveColumn(shown, dragged, i));
              setDragged(null);
            }}
          >
            <label>
              <input
                type="checkbox"
                checked={isShown}
                onChange={() => {
                  onChange(toggleColumn(shown, column));
                }}
              />{' '}
              <bdi>{column.title}</bdi>
            </label>
            {isShown &&
              ([-1, 1] as const).map((step) => (
                <button
                  key={step}
                  type="button"
                  class="step"
                  disabled={i + step < 0 || i + step >= shown.length}
                  aria-label={`${column.title} ${step < 0 ? 'earlier' : 'later'}`}
                  onClick={() => {
                    onChange(moveColumn(shown, i, i + step));
                  }}
                >
                  {step < 0 ? '↑' : '↓'}
                </button>
              ))}
          </li>
        );
      })}
    </ul>
  );
}
