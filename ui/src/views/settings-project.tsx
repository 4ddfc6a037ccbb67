/** The project: how much there is of it, and making all of one user go. */
import { useState } from 'preact/hooks';
import type { Session } from '../api/types';
import { bytes, count, plural } from '../model/format';
import { ActingForm } from '../widgets/acting-form';
import { Field } from '../widgets/field';
import { deleteAllOf, Erasure } from './delete-user';

export function ProjectSettings({ session, onChange }: { session: Session; onChange: () => void }) {
  return (
    <>
      <dl class="facts">
        <div>
          <dt>Project</dt>
          <dd>
            <bdi>{session.project}</bdi>
          </dd>
        </div>
        <div>
          <dt>Traces</dt>
          <dd class="mono">{count(session.traces)}</dd>
        </div>
        <div>
          <dt>Spans</dt>
          <dd class="mono">{count(session.spans)}</dd>
        </div>
        <div>
          <dt>On disk</dt>
          <dd class="mono">{bytes(session.bytes)}</dd>
        </div>
      </dl>
      {session.role !== 'viewer' && <DeleteUser onChange={onChange} />}
    </>
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
