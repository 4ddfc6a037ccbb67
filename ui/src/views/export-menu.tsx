/** What the filter fits, as a file: all of it or a sample, with what that comes to said before. */
import { useState } from 'preact/hooks';
import { exportPath } from '../api/traces';
import type { Trace } from '../api/types';
import { formats, parts, rowsOf, sizeOf, type Format } from '../model/export';
import { bytes, plural } from '../model/format';
import type { ListQuery } from '../model/route';
import { Popover } from '../widgets/popover';

interface Props {
  list: ListQuery;
  count: number | null;
  isEstimate: boolean;
  shown: Trace[];
}

export function ExportMenu(props: Props) {
  return (
    <Popover label="Export" title="Export what the filter fits">
      {(close) => <Choices {...props} close={close} />}
    </Popover>
  );
}

function Choices({ list, count, isEstimate, shown, close }: Props & { close: () => void }) {
  const [format, setFormat] = useState<Format>('jsonl');
  const [chosen, setChosen] = useState(0);
  const part = parts[chosen]?.part ?? { share: 1 };
  const rows = rowsOf(part, count);
  const size = sizeOf(rows, shown);
  const about = isEstimate || ('share' in part && part.share < 1) ? 'about ' : '';
  return (
    <div class="export">
      <label>
        Format
        <select
          value={format}
          onChange={(event) => {
            setFormat(event.currentTarget.value as Format);
          }}
        >
          {formats.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        Traces
        <select
          value={String(chosen)}
          onChange={(event) => {
            setChosen(Number(event.currentTarget.value));
          }}
        >
          {parts.map(({ label }, i) => (
            <option key={label} value={String(i)}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p class="mute" role="status">
        {rows === null ? 'As many as there are' : `${about}${plural(rows, 'trace')}`}
        {size !== null && `, some ${bytes(size)}${format === 'jsonl' ? '' : ' as JSON lines, less in this format'}`}
      </p>
      <a class="button" download="" href={exportPath(list, format, part, count)} onClick={close}>
        Download
      </a>
    </div>
  );
}
