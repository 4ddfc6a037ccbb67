/** How much of the project is kept, what it would mean to keep less, and what the disk holds. */
import { useEffect, useState } from 'preact/hooks';
import {
  changeProject,
  compact,
  getCompacting,
  getProjects,
  type Compacting as CompactingState,
  type Project,
} from '../api/accounts';
import { asApiError, isAbort, parse, type ApiError } from '../api/client';
import { getTracePage, tracesPath } from '../api/endpoints';
import type { Page, Session, Trace } from '../api/types';
import { bytes, count } from '../model/format';
import { goesByAge, goesBySize, keepsOf, olderThan, readDays, readSize, sizeText } from '../model/retention';
import { useActing } from '../widgets/acting';
import { ActingForm } from '../widgets/acting-form';
import { Field } from '../widgets/field';
import { usePolling } from '../widgets/hooks';
import { useLoaded } from '../widgets/loaded';
import { Wrong } from '../widgets/wrong';
import { ProjectFacts } from './project-facts';

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
  onChange: () => void;
}

export function RetentionSettings({ session, onFailure, onChange }: Props) {
  const id = session.project_id;
  const projects = useLoaded(getProjects, [id], onFailure);
  const project = projects.value?.find((each) => each.id === id);
  if (!project) return <Wrong error={projects.error} />;
  return (
    <>
      <ProjectFacts
        name={project.name}
        words={[['Keeps', keepsOf(project)]]}
        figures={[
          ['Traces', count(session.traces)],
          ['On disk', bytes(session.bytes)],
        ]}
      />
      {session.role === 'owner' ? (
        <Keep
          key={id}
          project={project}
          session={session}
          onDone={() => {
            projects.reload();
            onChange();
          }}
        />
      ) : (
        <p class="mute">An owner sets how much is kept.</p>
      )}
      <Compacting session={session} onChange={onChange} />
    </>
  );
}

const dayText = (days: number | null): string => (days === null ? '' : String(Math.ceil(days)));

function Keep({ project, session, onDone }: { project: Project; session: Session; onDone: () => void }) {
  const [days, setDays] = useState(dayText(project.retention_days));
  const [size, setSize] = useState(sizeText(project.retention_bytes));
  const age = readDays(days);
  const most = readSize(size);
  const older = useOlder(age ?? null);
  const isChanged = days !== dayText(project.retention_days) || size !== sizeText(project.retention_bytes);
  return (
    <ActingForm
      does="Save"
      ready={age !== undefined && most !== undefined && isChanged}
      onGo={async () => {
        // A field that was left alone is not sent: an age may have been set in hours.
        await changeProject(project.id, {
          ...(days === dayText(project.retention_days) ? {} : { retention_days: age ?? 0 }),
          ...(size === sizeText(project.retention_bytes) ? {} : { retention_bytes: most ?? 0 }),
        });
        onDone();
        return 'Saved. The server looks about once a minute.';
      }}
    >
      {(wrong) => (
        <>
          <h2>How much is kept</h2>
          <Field
            label="Days"
            autocomplete="off"
            placeholder="all"
            value={days}
            wrong={wrong('retention_days') ?? (age === undefined ? 'A whole number of days, or nothing: all' : null)}
            onText={setDays}
          />
          <p role="status" class="mute">
            {age === null || age === undefined
              ? 'Nothing goes because of its age.'
              : older.error
                ? older.error.message
                : older.count === null
                  ? '…'
                  : goesByAge(age, older.count, session.traces)}
          </p>
          <Field
            label="At most on disk"
            autocomplete="off"
            placeholder="no limit"
            value={size}
            wrong={wrong('retention_bytes') ?? (most === undefined ? 'A size: 500 MB, 10 GB, or nothing' : null)}
            onText={setSize}
          />
          <p role="status" class="mute">
            {most === null || most === undefined
              ? 'Nothing goes because of its size.'
              : goesBySize(most, session.bytes, session.traces)}
          </p>
          <p class="mute">
            Pinned traces stay. Whole parts go (a million spans, or a day), so somewhat more is kept than is said, and
            the part that takes new traces always stays.
          </p>
        </>
      )}
    </ActingForm>
  );
}

/** How many traces there are that are older; asked when typing pauses. */
function useOlder(days: number | null): { count: number | null; error: ApiError | null } {
  const [said, setSaid] = useState<{ count: number | null; error: ApiError | null }>({ count: null, error: null });
  useEffect(() => {
    setSaid({ count: null, error: null });
    if (days === null) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      getTracePage(tracesPath([['end_time', olderThan(days, Date.now())]], 1), abort.signal).then(
        (body) => {
          setSaid({ count: parse<Page<Trace>>(body).count ?? 0, error: null });
        },
        (reason: unknown) => {
          if (!isAbort(reason)) setSaid({ count: null, error: asApiError(reason) });
        },
      );
    }, 200);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [days]);
  return said;
}

function diskSays({ compacting, erased, error }: CompactingState): string {
  if (error !== null) return `The last rewriting failed: ${error}`;
  if (compacting) return 'It is being rewritten now.';
  return erased ? 'Nothing that was deleted is on it any more.' : 'Something that was deleted is on it still.';
}

function Compacting({ session, onChange }: { session: Session; onChange: () => void }) {
  const state = useLoaded(getCompacting, [session.project_id]);
  const { busy, error, act } = useActing();
  usePolling(2000, state.value?.compacting === true, () => {
    state.reload();
    onChange();
  });
  return (
    <section class="form">
      <h2>The disk</h2>
      <p>
        What was deleted leaves the disk when the part of it is rewritten, by itself within minutes; what takes no new
        traces is packed tighter then.
      </p>
      <p role="status">{state.value !== null && diskSays(state.value)}</p>
      <Wrong error={error ?? state.error} />
      {session.role !== 'viewer' && (
        <button
          type="button"
          class="button"
          disabled={busy || state.value?.compacting === true}
          onClick={() => {
            act(async () => {
              await compact();
              state.reload();
            });
          }}
        >
          Rewrite now
        </button>
      )}
    </section>
  );
}
