/** A small table; where it is narrow each row is a card, whose cells say what they are. */
import type { ComponentChildren } from 'preact';

export interface PlainColumn<T> {
  label: string;
  mono?: boolean;
  /** Buttons: without a label that is seen. */
  actions?: boolean;
  cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  label: string;
  columns: PlainColumn<T>[];
  rows: T[];
  keyOf: (row: T) => string | number;
  isOver?: (row: T) => boolean;
}

export function PlainTable<T>({ label, columns, rows, keyOf, isOver }: Props<T>) {
  // The roles stay what they are where the style makes cards of the rows.
  return (
    <table class="plain cards" role="table" aria-label={label}>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.label} role="columnheader" scope="col">
              {column.actions ? <span class="sr">{column.label}</span> : column.label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={keyOf(row)} role="row" class={isOver?.(row) ? 'mute' : undefined}>
            {columns.map((column) => (
              <td
                key={column.label}
                role="cell"
                class={column.actions ? 'actions' : column.mono ? 'mono' : undefined}
                data-label={column.actions ? undefined : column.label}
              >
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
