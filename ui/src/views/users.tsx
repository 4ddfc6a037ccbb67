/** Who used what was traced, and how much. */
import '../style/people.css';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ApiError } from '../api/client';
import { groupsPath } from '../api/groups';
import { livePath, paramsOf } from '../api/traces';
import type { Group } from '../api/types';
import { tokenFor } from '../model/filter';
import { clock, count, duration, plural } from '../model/format';
import { groupsUrl, type ListQuery, tracesUrl, userUrl } from '../model/route';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { Link } from '../widgets/link';
import { GroupSearch } from './group-search';
import { type Column, GroupTable, Spent, toList, useGroups } from './group-table';
import { RangeMenu } from './range-menu';

const columns: Column[] = [
  { sort: 'value', label: 'User', cell: (g) => <UserName group={g} /> },
  { sort: 'count', label: 'Requests', end: true, cell: (g) => count(g.count) },
  { sort: 'total_tokens', label: 'Tokens', end: true, cell: (g) => count(g.total_tokens) },
  { sort: 'cost', label: 'Cost', end: true, cell: (g) => <Spent usd={g.cost} /> },
  { sort: 'error_count', label: 'Errors', end: true, cell: (g) => <Errors n={g.error_count} /> },
  { sort: 'latency', label: 'Latency p50', end: true, cell: (g) => duration(g.latency?.p50) },
  { sort: 'first_time', label: 'First seen', cell: (g) => <Seen time={g.first_time} /> },
  { sort: 'last_time', label: 'Last seen', cell: (g) => <Seen time={g.last_time} /> },
];

function UserName({ group }: { group: Group }) {
  return group.value === null ? <i class="mute">no user</i> : <GroupName name={group.value} />;
}

/** One that shows nothing could not be clicked. */
export function GroupName({ name }: { name: string }) {
  const shown = oneLine(name);
  return /[^\s\u200b-\u200f\u2060\ufeff]/.test(shown) ? <bdi class="strong">{shown}</bdi> : <i class="mute">blank</i>;
}

export function Errors({ n }: { n: number }) {
  return n === 0 ? <span class="mute">–</span> : <span class="bad">{count(n)}</span>;
}

export function Seen({ time }: { time: string | null }) {
  return <span class="mute mono">{time === null ? '–' : clock(time)}</span>;
}

/** A condition that finds a part of a user's name, whatever characters are in it. */
function searchOf(q: string): string {
  return q === '' ? '' : `customer_identifier~"${q.replace(/[\\"]/g, '\\$&')}"`;
}

interface Props {
  list: ListQuery & { env: string };
  onFailure: (error: ApiError) => void;
}

export function UsersView({ list: asked, onFailure }: Props) {
  const { q, from, to, sort, env } = asked;
  const order = sort === '' ? '-last_time' : sort;
  const input = useRef<HTMLInputElement>(null);
  const url = groupsUrl('/users', asked);
  const here = env === '' ? '' : tokenFor('env', env);
  const mine = { ...asked, q: `${searchOf(q)} ${here}`.trim() };
  const live = useMemo(() => livePath(mine, Date.now()), [url]);
  const groups = useGroups(
    {
      url,
      pathOf: (size) => groupsPath('customer_identifier', paramsOf(mine, Date.now()), order, false, size),
      live,
      keepNull: true,
    },
    onFailure,
  );
  const { list, answered } = groups;
  useEffect(() => {
    document.title = 'Users · respan';
  }, []);
  const nobody = list.rows.every((g) => g.value === null);
  return (
    <>
      <GroupSearch
        q={q}
        label="Search users"
        placeholder="Search users"
        counted={answered ? (list.isEstimate ? 'about ' : '') + plural(list.count, 'user') : ''}
        input={input}
        onLeave={toList}
        onChange={(text) => {
          go(groupsUrl('/users', { ...asked, q: text }), 'replace');
        }}
      >
        <RangeMenu
          from={from}
          to={to}
          onChange={(start, end) => {
            go(groupsUrl('/users', { ...asked, from: start, to: end }));
          }}
        />
      </GroupSearch>
      {answered && url === '/users' && nobody && list.next === null ? (
        <NoUsers />
      ) : (
        <GroupTable
          label="Users"
          kind="users"
          columns={columns}
          groups={groups}
          url={url}
          sort={order}
          onSort={(by) => {
            go(groupsUrl('/users', { ...asked, sort: by }), 'replace');
          }}
          urlOf={(g) =>
            g.value === null
              ? tracesUrl(`NOT user:* ${here}`.trim(), { from, to })
              : userUrl(g.value, { from, to, env })
          }
          onSearch={() => {
            input.current?.select();
          }}
          empty={
            <div class="notice">
              <h2>No user matches</h2>
              <p>Users are found by any part of their name.</p>
              <WiderWindow list={asked} place="/users" />
            </div>
          }
        />
      )}
    </>
  );
}

/** Out of a window in which nothing is. */
export function WiderWindow({ list, place }: { list: ListQuery; place: '/threads' | '/users' }) {
  if (list.from === '' && list.to === '') return null;
  return (
    <p>
      <Link class="linked" to={groupsUrl(place, { ...list, from: '', to: '' })}>
        Look at all times
      </Link>
    </p>
  );
}

function NoUsers() {
  return (
    <div class="notice">
      <h2>No users yet</h2>
      <p>Say whose request it is, and every trace of it is counted here:</p>
      <div class="code">
        <pre>{`with respan.propagate_attributes(customer_identifier="user_421"):\n    answer()`}</pre>
      </div>
    </div>
  );
}
