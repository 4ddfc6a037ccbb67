/** The project: how much there is of it, what it is called, and making all of one user, or all of it, go. */
import { useState } from 'preact/hooks';
import { changeProject, deleteProject } from '../api/accounts';
import type { Session } from '../api/types';
import { bytes, count, plural } from '../model/format';
import { settingsUrl } from '../model/route';
import { go } from '../navigation';
import { ActingForm } from '../widgets/acting-form';
import { ConfirmDialog } from '../widgets/confirm-dialog';
import { Field } from '../widgets/field';
import { NameForm } from '../widgets/name-form';
import { deleteAllOf, Erasure } from './delete-user';
import { ProjectFacts } from './project-facts';

interface Props {
  session: Session;
  onChange: () => void;
}

export function ProjectSettings({ session, onChange }: Props) {
  return (
    <>
      <ProjectFacts
        name={session.project}
        figures={[
          ['Traces', count(session.traces)],
          ['Spans', count(session.spans)],
          ['On disk', bytes(session.bytes)],
        ]}
      />
      {session.role === 'owner' && (
        <NameForm
          key={session.project}
          title="Rename"
          does="Rename"
          hint="Keys, links and addresses stay what they are."
          name={session.project}
          onName={async (name) => {
            await changeProject(session.project_id, { name });
            onChange();
            return 'Renamed';
          }}
        />
      )}
      {session.role !== 'viewer' && <DeleteUser onChange={onChange} />}
      {session.role === 'owner' && <DeleteProject session={session} onChange={onChange} />}
    </>
  );
}

function DeleteProject({ session, onChange }: Props) {
  const [asking, setAsking] = useState(false);
  const others = session.projects.filter(
    ({ id, organization }) => id !== session.project_id && organization === session.organization_id,
  );
  return (
    <section class="form">
      <h2>Delete the project</h2>
      {others.length === 0 ? (
        <p>It is the only one, and one has to stay: make another first.</p>
      ) : (
        <p>
          All of it goes: {plural(session.traces, 'trace')}, its keys, links, pins and settings. Its folder is removed
          from the disk before this page says so. This cannot be undone.
        </p>
      )}
      <button
        type="button"
        class="button danger"
        disabled={others.length === 0}
        onClick={() => {
          setAsking(true);
        }}
      >
        Delete {session.project} …
      </button>
      {asking && (
        <ConfirmDialog
          title={`Delete ${session.project}?`}
          does="Delete all of it"
          name={session.project}
          onClose={() => {
            setAsking(false);
          }}
          onDo={async () => {
            await deleteProject(session.project_id, session.project);
            go(`${settingsUrl('projects')}?project=${String(others[0]?.id ?? 1)}`, 'replace');
            onChange();
          }}
        >
          <p>
            {plural(session.traces, 'trace')} with {plural(session.spans, 'span')}, {bytes(session.bytes)} on the disk,
            and every key: programs that send with one are refused from then on.
          </p>
          <p>
            <code>projects/{session.project_id}</code> in the server&apos;s data directory is unlinked at once. Backups,
            and what is spooled at senders, are yours to delete.
          </p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function DeleteUser({ onChange }: { onChange: () => void }) {
  const [customer, setCustomer] = useState('');
  const [again, setAgain] = useState('');
  const [done, setDone] = useState<{ customer: string; deleted: number; at: number } | null>(null);
  return (
    <ActingForm
      does="Delete all of it"
      look="danger"
      ready={customer !== '' && customer === again}
      onGo={async () => {
        setDone(null);
        const deleted = await deleteAllOf(customer, () => undefined);
        setDone({ customer, deleted, at: Date.now() });
        setCustomer('');
        setAgain('');
        onChange();
        return undefined;
      }}
      after={done && <Erasure key={done.at} what={`${plural(done.deleted, 'trace')} of ${done.customer}`} />}
    >
      {() => (
        <>
          <h2>Delete all of a user</h2>
          <p>
            Every trace with that <code>customer_identifier</code> goes, pinned and shared ones too: from every answer
            at once, and from the disk as soon as it is rewritten. This cannot be undone.
          </p>
          <Field
            label="Whose (customer_identifier)"
            required
            autocomplete="off"
            value={customer}
            onText={setCustomer}
          />
          <Field label="The same again" required autocomplete="off" value={again} onText={setAgain} />
        </>
      )}
    </ActingForm>
  );
}
