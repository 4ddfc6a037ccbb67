/** Settings: a section each, with its own address. */
import '../style/settings.css';
import { useEffect } from 'preact/hooks';
import type { ApiError } from '../api/client';
import type { Session } from '../api/types';
import { settingsSections } from '../model/places';
import { settingsUrl } from '../model/route';
import { Link } from '../widgets/link';
import { Nowhere } from './notices';
import { AccountSettings } from './settings-account';
import { AuditSettings } from './settings-audit';
import { KeysSettings } from './settings-keys';
import { MembersSettings } from './settings-members';
import { PricesSettings } from './settings-prices';
import { ProjectSettings } from './settings-project';
import { ProjectsSettings } from './settings-projects';
import { RetentionSettings } from './settings-retention';

interface Props {
  section: string;
  search: string;
  session: Session | null;
  onFailure: (error: ApiError) => void;
  /** The session says something else now. */
  onChange: () => void;
}

export function SettingsView({ section, search, session, onFailure, onChange }: Props) {
  const here = settingsSections.find(({ id }) => id === section);
  useEffect(() => {
    document.title = `${here?.label ?? 'Settings'} · respan`;
  }, [here]);
  if (!here) return <Nowhere />;
  const all = session === null ? null : { session, onFailure, onChange };
  return (
    <div class="settings">
      <nav class="settings-nav" aria-label="Settings">
        {settingsSections.map(({ id, label }) => (
          <Link
            key={id}
            class={id === section ? 'entry on' : 'entry'}
            to={settingsUrl(id)}
            aria-current={id === section ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {all === null ? (
        <div class="settings-body" aria-busy="true" />
      ) : (
        <div class={section === 'audit' ? 'settings-body fill' : 'settings-body'}>
          <h1>{here.label}</h1>
          {section === 'project' && <ProjectSettings {...all} />}
          {section === 'retention' && <RetentionSettings {...all} />}
          {section === 'projects' && <ProjectsSettings {...all} />}
          {section === 'members' && <MembersSettings {...all} />}
          {section === 'audit' && <AuditSettings search={search} {...all} />}
          {section === 'keys' && <KeysSettings {...all} />}
          {section === 'prices' && <PricesSettings {...all} />}
          {section === 'account' && <AccountSettings {...all} />}
        </div>
      )}
    </div>
  );
}
