/** All projects of the organization: what each holds and keeps; making one, and going to one. And what the organization is called. */
import { getProjects, makeOrganization, makeProject, renameOrganization } from '../api/accounts';
import type { ApiError } from '../api/client';
import type { Session } from '../api/types';
import { bytes, count } from '../model/format';
import { organizationOf } from '../model/role';
import { keepsOf } from '../model/retention';
import { settingsUrl } from '../model/route';
import { go } from '../navigation';
import { Link } from '../widgets/link';
import { useLoaded } from '../widgets/loaded';
import { NameForm } from '../widgets/name-form';
import { PlainTable } from '../widgets/plain-table';
import { Wrong } from '../widgets/wrong';

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
  onChange: () => void;
}

export function ProjectsSettings({ session, onFailure, onChange }: Props) {
  const projects = useLoaded(getProjects, [session.projects.length], onFailure);
  const organization = organizationOf(session);
  return (
    <>
      <section class="form wide" aria-busy={projects.value === null && !projects.error}>
        <p>
          A project has traces, keys, users and costs of its own; who may sign in is the same for all of{' '}
          <bdi>{organization}</bdi>.
        </p>
        <Wrong error={projects.error} />
        {projects.value !== null && (
          <PlainTable
            label="Projects"
            rows={projects.value}
            keyOf={(project) => project.id}
            columns={[
              {
                label: 'Project',
                cell: (project) => (
                  <>
                    <Link class="linked strong" to={`${settingsUrl('project')}?project=${String(project.id)}`}>
                      <bdi>{project.name}</bdi>
                    </Link>
                    {project.id === session.project_id && <span class="chip">here</span>}
                  </>
                ),
              },
              { label: 'Traces', mono: true, cell: (project) => count(project.traces) },
              { label: 'Spans', mono: true, cell: (project) => count(project.spans) },
              { label: 'On disk', mono: true, cell: (project) => bytes(project.bytes) },
              { label: 'Keeps', cell: keepsOf },
            ]}
          />
        )}
      </section>
      {session.role === 'owner' && (
        <>
          <NameForm
            title="New project"
            does="Make a project"
            placeholder="support"
            hint="Next you make a key: what is sent with it belongs to the project."
            onName={async (name) => {
              const made = await makeProject(name);
              onChange();
              go(`${settingsUrl('keys')}?project=${String(made.id)}`);
              return undefined;
            }}
          />
          <NameForm
            key={organization}
            title="The organization"
            does="Rename it"
            label="Organization"
            hint="Its projects and users stay what they are."
            name={organization}
            onName={async (name) => {
              await renameOrganization(session.organization_id, name);
              onChange();
              return 'Renamed';
            }}
          />
        </>
      )}
      {session.server_owner && (
        <NameForm
          title="New organization"
          does="Make an organization"
          label="Called"
          placeholder="acme"
          hint="It has users and projects of its own; you are its first owner."
          onName={async (name) => {
            await makeOrganization(name);
            onChange();
            return 'Made: its project is in the list at the side';
          }}
        />
      )}
    </>
  );
}
