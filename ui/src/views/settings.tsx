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
import { KeysSettings } from './settings-keys';
import { PricesSettings } from './settings-prices';
import { ProjectSettings } from './settings-project';

interface Props {
  section: string;
  session: Session | null;
  onFailure: (error: ApiError) => void;
  /** The session says something else now. */
  onChange: () => void;
}

export function SettingsView({ section, session, onFailure, onChange }: Props) {
  const here = settingsSections.find(({ id }) => id === section);
  useEffect(() => {
    document.title = `${here?.label ?? 'Settings'} · respan`;
  }, [here]);
  if (!here) return <Nowhere />;
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
      {session === null ? (
        <div class="settings-body" aria-busy="true" />
      ) : (
        <div class="settings-body">
          <h1>{here.label}</h1>
          {section === 'project' && <ProjectSettings session={session} onChange={onChange} />}
          {section === 'keys' && <KeysSettings session={session} onFailure={onFailure} />}
          {section === 'prices' && <PricesSettings session={session} onFailure={onFailure} />}
          {section === 'account' && <AccountSettings session={session} onChange={onChange} />}
        </div>
      )}
    </div>
  );
}
