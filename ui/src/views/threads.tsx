/** Conversations: traces that share a thread, by the last that was said in each. */
import '../style/people.css';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { groupsPath } from '../api/groups';
import { livePath, paramsOf } from '../api/traces';
import type { Group } from '../api/types';
import { newPreview } from '../model/content';
import type { FilterParams } from '../model/filter';
import { cost, count, plural } from '../model/format';
import { groupsUrl, type ListQuery, threadUrl } from '../model/route';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { GroupSearch } from './group-search';
import { type Column, GroupTable, toList, useGroups } from './group-table';
import { RangeMenu } from './range-menu';
import { Errors, GroupName, Seen, WiderWindow } from './users';

const columns: Column[] = [
  { sort: 'value', label: 'Thread', cell: (g) => <GroupName name={g.value ?? ''} /> },
  { sort: null, label: 'Last message', cell: (g) => <LastMessage group={g} /> },
  { sort: 'count', label: 'Turns', end: true, cell: (g) => count(g.count) },
  { sort: 'total_tokens', label: 'Tokens', end: true, cell: (g) => count(g.total_tokens) },
  { sort: 'cost', label: 'Cost', end: true, cell: (g) => cost(g.cost) },
  { sort: 'error_count', label: 'Errors', end: true, cell: (g) => <Errors n={g.error_count} /> },
  { sort: 'first_time', label: 'First', cell: (g) => <Seen time={g.first_time} /> },
  { sort: 'last_time', label: 'Last', cell: (g) => <Seen time={g.last_time} /> },
];

export function LastMessage({ group }: { group: Group }) {
  const { latest } = group;
  if (!latest) return null;
  if (latest.error_count > 0 && latest.error_message) return <bdi class="bad">{oneLine(latest.error_message)}</bdi>;
  if (latest.output !== null)
    return <bdi class="said">{oneLine(newPreview(latest.input ?? '', latest.output)).replace(/^…\s*/, '')}</bdi>;
  return <bdi class="mute">{oneLine(latest.input ?? '')}</bdi>;
}

interface Props {
  list: ListQuery;
  onFailure: (error: ApiError) => void;
}

export function ThreadsView({ list: asked, onFailure }: Props) {
  const { q, from, to, sort } = asked;
  const order = sort === '' ? '-last_time' : sort;
  const input = useRef<HTMLInputElement>(null);
  const url = groupsUrl('/threads', asked);
  const filter = (): FilterParams => paramsOf(asked, Date.now());
  const live = useMemo(() => livePath(asked, Date.now()), [url]);
  const groups = useGroups(
    { url, pathOf: (size) => groupsPath('session_identifier', filter(), order, true, size), live, keepNull: false },
    onFailure,
  );
  const { list, answered, error } = groups;
  useEffect(() => {
    document.title = 'Threads · respan';
  }, []);
  return (
    <>
      <GroupSearch
        q={q}
        label="Filter threads"
        placeholder="Filter: words, or user:… status:error model:…"
        counted={answered ? (list.isEstimate ? 'about ' : '') + plural(list.count, 'thread') : ''}
        error={error?.failure === 'refused'}
        input={input}
        onLeave={toList}
        onChange={(text) => {
          go(groupsUrl('/threads', { ...asked, q: text }), 'replace');
        }}
      >
        <RangeMenu
          from={from}
          to={to}
          onChange={(start, end) => {
            go(groupsUrl('/threads', { ...asked, from: start, to: end }));
          }}
        />
      </GroupSearch>
      {answered && url === '/threads' && list.rows.length === 0 && list.next === null ? (
        <NoThreads />
      ) : (
        <GroupTable
          label="Threads"
          kind="threads"
          columns={columns}
          groups={groups}
          url={url}
          sort={order}
          onSort={(by) => {
            go(groupsUrl('/threads', { ...asked, sort: by }), 'replace');
          }}
          urlOf={(g) => threadUrl(g.value ?? '')}
          onSearch={() => {
            input.current?.select();
          }}
          empty={
            <div class="notice">
              <h2>No thread matches</h2>
              <p>The filter is that of the list of traces: a thread is shown if one of its traces fits.</p>
              <WiderWindow list={asked} place="/threads" />
            </div>
          }
        />
      )}
    </>
  );
}

function NoThreads() {
  return (
    <div class="notice">
      <h2>No threads yet</h2>
      <p>Say which conversation a request belongs to, and its turns are read here in order:</p>
      <div class="code">
        <pre>{`with respan.propagate_attributes(thread_identifier="conv_1"):\n    answer()`}</pre>
      </div>
    </div>
  );
}
