/** The log: who changed what, when and from where; newest first, without an end until it has one. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { getAudit, type AuditEntry } from '../api/accounts';
import { asApiError, isAbort, type ApiError } from '../api/client';
import type { Session } from '../api/types';
import { auditPath, auditUrl, kinds, parseAudit, said, type AuditQuery } from '../model/audit';
import { clock } from '../model/format';
import { oneLine } from '../model/text';
import { go } from '../navigation';
import { useMedia } from '../widgets/hooks';
import { useTypedText } from '../widgets/typed-text';
import { VirtualRows } from '../widgets/virtual';
import { Wrong } from '../widgets/wrong';

interface Props {
  search: string;
  session: Session;
  onFailure: (error: ApiError) => void;
}

export function AuditSettings({ search, session, onFailure }: Props) {
  if (session.role !== 'owner') return <p class="mute">Only an owner reads the log.</p>;
  return <Audit asked={parseAudit(search)} session={session} onFailure={onFailure} />;
}

interface Answer {
  rows: AuditEntry[];
  next: string | null;
  answered: boolean;
  error: ApiError | null;
}

/** Page by page, as far as one scrolls. */
function useAudit(path: string, onFailure: (error: ApiError) => void): Answer & { more: () => void } {
  const [answer, setAnswer] = useState<Answer>({ rows: [], next: null, answered: false, error: null });
  const loading = useRef<AbortController | null>(null);
  const load = (from: string, before: AuditEntry[]): void => {
    const abort = new AbortController();
    loading.current = abort;
    getAudit(from, abort.signal)
      .then(
        ({ results, next }) => {
          setAnswer({ rows: [...before, ...results], next, answered: true, error: null });
        },
        (reason: unknown) => {
          if (isAbort(reason)) return;
          const error = asApiError(reason);
          setAnswer((was) => ({ ...was, error }));
          onFailure(error);
        },
      )
      .finally(() => {
        if (loading.current === abort) loading.current = null;
      });
  };
  useEffect(() => {
    load(path, []);
    return () => {
      loading.current?.abort();
    };
  }, [path]);
  return {
    ...answer,
    more: () => {
      if (answer.next !== null && loading.current === null) load(answer.next, answer.rows);
    },
  };
}

function Audit({ asked, session, onFailure }: { asked: AuditQuery; session: Session; onFailure: Props['onFailure'] }) {
  const { rows, next, answered, error, more } = useAudit(auditPath(asked), onFailure);
  const scroller = useRef<HTMLDivElement>(null);
  const narrow = useMedia('(max-width: 760px)');
  const loadMore = (): void => {
    const element = scroller.current;
    if (element && element.scrollTop + element.clientHeight * 3 >= element.scrollHeight) more();
  };
  useLayoutEffect(loadMore, [rows]);
  const projects = new Map(session.projects.map(({ id, name }) => [id, name]));
  const isAsked = asked.actor !== '' || asked.action !== '' || asked.text !== '';
  const ask = (to: Partial<AuditQuery>): void => {
    go(auditUrl({ ...asked, ...to }), 'replace');
  };
  return (
    <>
      <div class="audit-bar">
        <Text
          label="Who"
          placeholder="who, exactly"
          value={asked.actor}
          onChange={(actor) => {
            ask({ actor });
          }}
        />
        <select
          aria-label="What"
          value={asked.action}
          onChange={(event) => {
            ask({ action: event.currentTarget.value });
          }}
        >
          {kinds.map(({ action, label }) => (
            <option key={action} value={action}>
              {label}
            </option>
          ))}
          {!kinds.some(({ action }) => action === asked.action) && <option value={asked.action}>{asked.action}</option>}
        </select>
        <Text
          label="Text"
          placeholder="any text"
          value={asked.text}
          onChange={(text) => {
            ask({ text });
          }}
        />
        <span class="audit-files">
          <a class="button" download="" href={auditPath(asked, 'csv')}>
            CSV
          </a>
          <a class="button" download="" href={auditPath(asked, 'jsonl')}>
            JSONL
          </a>
        </span>
      </div>
      <Wrong error={error} />
      {answered && rows.length === 0 ? (
        <p class="mute">{isAsked ? 'No entry is like that.' : 'Nothing was changed yet.'}</p>
      ) : (
        <div
          ref={scroller}
          class="audit"
          role="table"
          aria-label="Log"
          aria-rowcount={next === null ? rows.length : -1}
          aria-busy={!answered}
          tabIndex={0}
          onScroll={loadMore}
        >
          <VirtualRows
            scroller={scroller}
            count={rows.length}
            rowHeight={narrow ? 50 : 30}
            render={(index) => {
              const row = rows[index];
              return (
                row && (
                  <Entry
                    key={row.id}
                    row={row}
                    project={
                      row.project === null ? null : (projects.get(row.project) ?? `project ${String(row.project)}`)
                    }
                  />
                )
              );
            }}
          />
        </div>
      )}
    </>
  );
}

function Entry({ row, project }: { row: AuditEntry; project: string | null }) {
  return (
    <div class="audit-row" role="row" title={row.action}>
      <span role="cell" class="mono mute">
        {clock(row.time)}
      </span>
      <span role="cell">
        <bdi class="strong">{oneLine(row.actor, 80) || 'nobody known'}</bdi> {said(row.action)}{' '}
        <bdi class={row.action === 'signin.failed' ? 'bad' : undefined}>{oneLine(row.target, 120)}</bdi>
      </span>
      <span role="cell" class="mute">
        <bdi>{project ?? ''}</bdi>
      </span>
      <span role="cell" class="mono mute">
        {row.address ?? ''}
      </span>
    </div>
  );
}

interface TextProps {
  label: string;
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
}

function Text({ label, placeholder, value, onChange }: TextProps) {
  const input = useRef<HTMLInputElement>(null);
  const { text, typed, said: enter } = useTypedText(value, input, onChange);
  return (
    <input
      ref={input}
      type="text"
      aria-label={label}
      placeholder={placeholder}
      spellcheck={false}
      autocomplete="off"
      autocapitalize="off"
      value={text}
      onInput={(event) => {
        typed(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') enter(event.currentTarget.value);
      }}
    />
  );
}
