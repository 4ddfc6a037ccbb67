/** Where one is: the project, and the environment in it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { getFacets } from '../api/traces';
import type { Session } from '../api/types';
import { withEnvironment } from '../model/environment';
import { inProjectOf } from '../model/project';
import { emptyQuery, settingsUrl, type Route } from '../model/route';
import { oneLine } from '../model/text';
import { go } from '../navigation';

interface Props {
  route: Route;
  environment: string;
  session: Session;
}

export function PlaceSwitch({ route, environment, session }: Props) {
  return (
    <div class="switch">
      <select
        aria-label="Project"
        value={String(session.project_id)}
        onChange={(event) => {
          const to = event.currentTarget.value;
          event.currentTarget.value = String(session.project_id);
          go(to === '' ? settingsUrl('projects') : inProjectOf(`?project=${to}`, stays(route)));
        }}
      >
        {session.organizations.map((each) => {
          const options = session.projects
            .filter(({ organization }) => organization === each.id)
            .map(({ id, name }) => (
              <option key={id} value={String(id)}>
                {oneLine(name, 64)}
              </option>
            ));
          return session.organizations[1] ? (
            <optgroup key={each.id} label={oneLine(each.name, 64)}>
              {options}
            </optgroup>
          ) : (
            options
          );
        })}
        {session.user && <option value="">All projects …</option>}
      </select>
      <EnvironmentSwitch key={session.project_id} route={route} chosen={environment} />
    </div>
  );
}

/** The same kind of view in the other project; what is of one project alone is left for the list that it stands in. */
function stays(route: Route): string {
  switch (route.view) {
    case 'dashboard':
      return '/dashboard';
    case 'threads':
    case 'thread':
      return '/threads';
    case 'users':
    case 'user':
      return '/users';
    case 'settings':
      return settingsUrl(route.section);
    default:
      return '/';
  }
}

/** Nothing that is shown waits for the names of environments. */
const askAfter = 1000;
const askAgainAfter = 30_000;

function EnvironmentSwitch({ route, chosen }: { route: Route; chosen: string }) {
  const [names, setNames] = useState<string[]>([]);
  const asked = useRef(0);
  const ask = (): void => {
    if (asked.current !== 0 && Date.now() - asked.current < askAgainAfter) return;
    asked.current = Date.now();
    getFacets(emptyQuery, 'traces', ['environment'], 100, AbortSignal.timeout(20_000)).then(
      ({ facets }) => {
        setNames((facets[0]?.values ?? []).flatMap(({ value }) => (typeof value === 'string' ? [value] : [])));
      },
      () => undefined, // the view says what is wrong
    );
  };
  useEffect(() => {
    const timer = setTimeout(ask, askAfter);
    return () => {
      clearTimeout(timer);
    };
  }, []);
  const all = chosen === '' || names.includes(chosen) ? names : [...names, chosen];
  return (
    <select
      aria-label="Environment"
      value={chosen}
      onPointerDown={ask}
      onFocus={ask}
      onChange={(event) => {
        go(withEnvironment(route, event.currentTarget.value));
      }}
    >
      <option value="">all environments</option>
      {all.map((name) => (
        <option key={name} value={name}>
          {oneLine(name, 64)}
        </option>
      ))}
    </select>
  );
}
