import { useState } from 'preact/hooks';
import type { Session } from '../api/types';
import { bytes, plural } from '../model/format';
import { inEnvironment } from '../model/environment';
import { places } from '../model/places';
import type { Route } from '../model/route';
import { Link } from '../widgets/link';
import { place } from '../widgets/place';
import { applyTheme, readTheme, type Theme } from '../widgets/setting';
import { PlaceSwitch } from './place-switch';

interface Props {
  route: Route;
  listUrl: string;
  session: Session | null;
  onHelp: () => void;
}

export function SideBar({ route, listUrl, session, onHelp }: Props) {
  return (
    <nav class="side" aria-label="Views">
      <Link class="brand" to="/">
        <i class="logo" aria-hidden="true" />
        respan
      </Link>
      {session ? (
        <PlaceSwitch route={route} environment={place.environment} session={session} />
      ) : (
        <div class="switch" />
      )}
      {places.map(({ label, url, key, views }) => {
        const here = views.includes(route.view);
        const to = url === '/' ? listUrl : inEnvironment(place.environment, url);
        return (
          <Link key={url} class={here ? 'entry on' : 'entry'} to={to} aria-current={here ? 'page' : undefined}>
            {label} <kbd>g {key}</kbd>
          </Link>
        );
      })}
      <div class="foot">
        {session && (
          <div class="about">
            <span class="mono">{location.host}</span>
            <span>{plural(session.traces, 'trace')}</span>
            <span>{plural(session.spans, 'span')}</span>
            <span>{bytes(session.bytes)} on disk</span>
          </div>
        )}
        <div class="tools">
          <ThemeButton />
          <button type="button" class="tool" onClick={onHelp} aria-label="Keys">
            <kbd>?</kbd> <span class="wide-only">keys</span>
          </button>
        </div>
      </div>
    </nav>
  );
}

const after: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };

function ThemeButton() {
  const [theme, setTheme] = useState(readTheme);
  return (
    <button
      type="button"
      class="tool"
      aria-label={`Theme: ${theme}`}
      title="Theme: auto, light, dark"
      onClick={() => {
        const to = after[theme];
        applyTheme(to);
        setTheme(to);
      }}
    >
      <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.4" />
        <path
          d={theme === 'light' ? '' : theme === 'dark' ? 'M8 2a6 6 0 0 1 0 12A6 6 0 0 1 8 2z' : 'M8 2a6 6 0 0 1 0 12z'}
          fill="currentColor"
        />
      </svg>
      <span class="wide-only">{theme}</span>
    </button>
  );
}
