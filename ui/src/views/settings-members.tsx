/** Who may come in: the users with what each may, and the invites that can still be used. */
import { useState } from 'preact/hooks';
import {
  getInvites,
  getMembers,
  makeInvite,
  removeMember,
  revokeInvite,
  setRole,
  type Invite,
  type Member,
} from '../api/accounts';
import type { ApiError } from '../api/client';
import type { Role, Session } from '../api/types';
import { clock } from '../model/format';
import { organizationOf } from '../model/role';
import { oneLine } from '../model/text';
import { useActing } from '../widgets/acting';
import { ActingForm } from '../widgets/acting-form';
import { CodeLines } from '../widgets/code-lines';
import { ConfirmDialog } from '../widgets/confirm-dialog';
import { Choice, Field } from '../widgets/field';
import { useLoaded } from '../widgets/loaded';
import { PlainTable } from '../widgets/plain-table';
import { Wrong } from '../widgets/wrong';

const roles: { role: Role; may: string }[] = [
  { role: 'viewer', may: 'reads everything' },
  { role: 'member', may: 'also makes keys, deletes and shares traces' },
  { role: 'owner', may: 'also manages users, projects and the log' },
];

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
  onChange: () => void;
}

export function MembersSettings({ session, onFailure, onChange }: Props) {
  const members = useLoaded(getMembers, [], onFailure);
  const [removing, setRemoving] = useState<Member | null>(null);
  const changing = useActing();
  const isOwner = session.role === 'owner';
  const mine = session.user?.id;
  const reload = (): void => {
    members.reload();
    onChange();
  };
  return (
    <>
      <section class="form wide" aria-busy={members.value === null && !members.error}>
        <h2>
          Users of <bdi>{organizationOf(session)}</bdi>
        </h2>
        <Wrong error={members.error ?? changing.error} />
        {members.value !== null && (
          <PlainTable
            label="Users"
            rows={members.value}
            keyOf={(user) => user.id}
            columns={[
              {
                label: 'Who',
                cell: (user) => (
                  <>
                    <bdi class="strong">{oneLine(user.name, 80)}</bdi> <bdi class="mute">{oneLine(user.email, 80)}</bdi>
                    {user.id === mine && <span class="chip">you</span>}
                  </>
                ),
              },
              {
                label: 'Role',
                cell: (user) =>
                  isOwner ? (
                    <RoleSelect
                      key={changing.error === null ? 'as is' : 'refused'}
                      label={`Role of ${user.name}`}
                      role={user.role}
                      disabled={changing.busy}
                      onChange={(role) => {
                        changing.act(async () => {
                          await setRole(user.id, role);
                          reload();
                        });
                      }}
                    />
                  ) : (
                    user.role
                  ),
              },
              { label: 'Since', mono: true, cell: (user) => clock(user.created_at) },
              {
                label: 'Last seen',
                mono: true,
                cell: (user) => (user.last_seen_at === null ? 'never' : clock(user.last_seen_at)),
              },
              {
                label: 'Remove',
                actions: true,
                cell: (user) =>
                  (isOwner || user.id === mine) && (
                    <button
                      type="button"
                      class="button danger small"
                      aria-label={`Remove ${user.name}`}
                      onClick={() => {
                        setRemoving(user);
                      }}
                    >
                      Remove
                    </button>
                  ),
              },
            ]}
          />
        )}
        <p class="mute">
          {roles
            .map(({ role, may }) => `A ${role} ${may}.`)
            .join(' ')
            .replace('A owner', 'An owner')}
        </p>
      </section>
      {isOwner && <Invites onFailure={onFailure} />}
      {removing && (
        <ConfirmDialog
          title={removing.id === mine ? 'Remove yourself?' : `Remove ${oneLine(removing.name, 60)}?`}
          does="Remove"
          keep="Keep"
          onClose={() => {
            setRemoving(null);
          }}
          onDo={async () => {
            await removeMember(removing.id);
            reload();
          }}
        >
          <p>
            <bdi>{oneLine(removing.email, 120)}</bdi> is not in this organization any more; who is in no other one is
            signed out everywhere and cannot sign in again. Keys and traces stay.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}

interface RoleProps {
  label: string;
  role: Role;
  disabled?: boolean;
  onChange: (role: Role) => void;
}

function RoleSelect({ label, role, disabled = false, onChange }: RoleProps) {
  return (
    <select
      aria-label={label}
      disabled={disabled}
      value={role}
      onChange={(event) => {
        onChange(roles[event.currentTarget.selectedIndex]?.role ?? role);
      }}
    >
      {roles.map((each) => (
        <option key={each.role} value={each.role}>
          {each.role}
        </option>
      ))}
    </select>
  );
}

function Invites({ onFailure }: { onFailure: (error: ApiError) => void }) {
  const invites = useLoaded(getInvites, [], onFailure);
  const [made, setMade] = useState<(Invite & { url: string }) | null>(null);
  const revoking = useActing();
  return (
    <>
      {made && (
        <section class="form wide made" aria-label="The new invite">
          <h2>The invite is made</h2>
          <p role="status">
            Hand this link over: it is not shown again. It works once, until {clock(made.expires_at)}, for{' '}
            {made.email === null ? 'whoever has it' : <bdi>{made.email}</bdi>}, who becomes a {made.role}.
          </p>
          <CodeLines text={made.url} label="Copy the link" />
        </section>
      )}
      <NewInvite
        onMade={(invite) => {
          setMade(invite);
          invites.reload();
        }}
      />
      <section class="form wide">
        <h2>Open invites</h2>
        <Wrong error={invites.error ?? revoking.error} />
        {invites.value?.length === 0 && <p class="mute">No open invites.</p>}
        {invites.value !== null && invites.value.length > 0 && (
          <PlainTable
            label="Open invites"
            rows={invites.value}
            keyOf={(invite) => invite.id}
            columns={[
              {
                label: 'For',
                cell: (invite) =>
                  invite.email === null ? 'whoever has the link' : <bdi>{oneLine(invite.email, 120)}</bdi>,
              },
              { label: 'Role', cell: (invite) => invite.role },
              { label: 'Made', mono: true, cell: (invite) => clock(invite.created_at) },
              { label: 'Works until', mono: true, cell: (invite) => clock(invite.expires_at) },
              {
                label: 'End',
                actions: true,
                cell: (invite) => (
                  <button
                    type="button"
                    class="button danger small"
                    aria-label={`End the invite for ${invite.email ?? 'whoever has the link'}`}
                    disabled={revoking.busy}
                    onClick={() => {
                      revoking.act(async () => {
                        await revokeInvite(invite.id);
                        if (made?.id === invite.id) setMade(null);
                        invites.reload();
                      });
                    }}
                  >
                    End
                  </button>
                ),
              },
            ]}
          />
        )}
      </section>
    </>
  );
}

function NewInvite({ onMade }: { onMade: (made: Invite & { url: string }) => void }) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('member');
  return (
    <ActingForm
      does="Make an invite"
      look="main"
      onGo={async () => {
        const made = await makeInvite(email === '' ? { role } : { role, email });
        setEmail('');
        onMade(made);
        return undefined;
      }}
    >
      {(wrong) => (
        <>
          <h2>Invite somebody</h2>
          <Field
            label="E-mail"
            type="email"
            autocomplete="off"
            hint="Only this address may use the link. Empty: whoever has it."
            placeholder="ann@example.org"
            value={email}
            wrong={wrong('email')}
            onText={setEmail}
          />
          <Choice
            label="Role"
            of={roles.map((each) => [each.role, `${each.role}: ${each.may}`])}
            value={role}
            onChoose={setRole}
          />
        </>
      )}
    </ActingForm>
  );
}
