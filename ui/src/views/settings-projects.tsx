/** All projects: what each holds and keeps; making one, and going to one. */
import { useState } from 'preact/hooks';
import { getProjects, makeProject } from '../api/accounts';
import type { ApiError } from '../api/client';
import type { Session } from '../api/types';
import { bytes, count } from '../model/format';
import { keepsOf } from '../model/retention';
import { settingsUrl } from '../model/route';
import { go } from '../navigation';
import { ActingForm } from '../widgets/acting-form';
import { Field } from '../widgets/field';
import { Link } from '../widgets/link';
import { useLoaded } from '../widgets/loaded';
import { PlainTable } from '../widgets/plain-table';
import { Wrong } from '../widgets/wrong';

interface Props {
  session: Session;
  onFailure: (error: ApiError) => void;
  onChange: () => void;
}

export function ProjectsSettings({ session, onFailure, onChange }: Props) {
  const projects = useLoaded(getProjects, [session.projects.length], onFailure);
  const [name, setName] = useState('');
  return (
    <>
      <section class="form wide">
        <p>A project has traces, keys, users and costs of its own; who may sign in is the same for all.</p>
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
        <ActingForm
          does="Make a project"
          look="main"
          onGo={async () => {
            const made = await makeProject(name);
            setName('');
            onChange();
            go(`${settingsUrl('keys')}?project=${String(made.id)}`);
            return undefined;
          }}
        >
          {(wrong) => (
            <>
              <h2>New project</h2>
              <Field
                label="Name"
                required
                maxLength={63}
                autocomplete="off"
                placeholder="support"
                hint="Next you make a key: what is sent with it belongs to the project."
                value={name}
                wrong={wrong('name')}
                onText={setName}
              />
            </>
          )}
        </ActingForm>
      )}
    </>
  );
}
