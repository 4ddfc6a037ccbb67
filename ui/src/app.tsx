/** The frame: side bar, the view of the route, and the keys that work everywhere. */
import type { ComponentChild } from 'preact';
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asApiError, isAbort, type ApiError } from './api/client';
import { getSession } from './api/endpoints';
import type { Session } from './api/types';
import { environmentOf, inEnvironment } from './model/environment';
import { places } from './model/places';
import { projectOf } from './model/project';
import { mayChange } from './model/role';
import type { Route } from './model/route';
import { address, go, here, useRoute } from './navigation';
import { SideBar } from './views/side-bar';
import { NoProject, Nowhere, SignedOut } from './views/notices';
import { TraceView } from './views/trace';
import { newListState, TracesView } from './views/traces';
import { Stale, useKeys, usePolling } from './widgets/hooks';
import { later } from './widgets/later';
import { place } from './widgets/place';
import { Skip } from './widgets/skip';

const UsersView = later(async () => (await import('./views/more')).UsersView);
const CompareView = later(async () => (await import('./views/more')).CompareView);
const ThreadsView = later(async () => (await import('./views/more')).ThreadsView);
const ThreadView = later(async () => (await import('./views/more')).ThreadView);
const UserView = later(async () => (await import('./views/more')).UserView);
const SettingsView = later(async () => (await import('./views/more')).SettingsView);
const KeysDialog = later(async () => (await import('./views/more')).KeysDialog, true);
const Dashboard = later(async () => (await import('./views/dashboard')).Dashboard);

/** What has a state of its own. */
const placeOf = (route: Route): string => route.view + ('id' in route ? route.id : '');

export function App() {
  const route = useRoute();
  const [session, setSession] = useState<Session | null>(null);
  const [signedOut, setSignedOut] = useState(false);
  const [away, setAway] = useState(false);
  const [help, setHelp] = useState(false);
  const [noProject, setNoProject] = useState<string | null>(null);
  const project = projectOf(location.search);
  const list = useRef({ of: project, state: newListState(), url: '/' });
  if (list.current.of !== project) {
    list.current = { of: project, state: newListState(), url: here('/') };
    place.environment = '';
  }
  place.environment = environmentOf(route) ?? place.environment;
  const pressedG = useRef(-Infinity); // when; the clock begins with the page

  const onFailure = useCallback((error: ApiError) => {
    if (error.failure === 'signed-out') setSignedOut(true);
  }, []);

  const loadSession = useCallback(() => {
    const asked = projectOf(location.search);
    getSession(AbortSignal.timeout(10_000)).then(
      (said) => {
        setAway(false);
        setNoProject(null);
        if (asked === projectOf(location.search)) setSession(said);
      },
      (error: unknown) => {
        if (isAbort(error)) return;
        const apiError = asApiError(error);
        setAway(apiError.failure === 'away');
        if (apiError.failure === 'not-found' || apiError.field === 'project') setNoProject(asked);
        onFailure(apiError);
      },
    );
  }, [onFailure, project]);
  useEffect(loadSession, [loadSession]);
  usePolling(10_000, !signedOut, loadSession);

  list.current.url = route.view === 'traces' ? address() : inEnvironment(place.environment, list.current.url);

  useKeys((event) => {
    const afterG = performance.now() - pressedG.current < 1000;
    pressedG.current = event.key === 'g' ? performance.now() : -Infinity;
    if (event.key === 'g') return true;
    const to = afterG ? places.find(({ key }) => key === event.key)?.url : undefined;
    if (to !== undefined) {
      go(to === '/' ? list.current.url : inEnvironment(place.environment, to));
      return true;
    }
    if (event.key === '?') {
      setHelp(true);
      return true;
    }
    return false;
  });

  // Whoever goes elsewhere is there with the keys, too, and past the side bar.
  const main = useRef<HTMLElement>(null);
  const where = placeOf(route);
  const was = useRef<string | null>(null);
  useLayoutEffect(() => {
    const isElsewhere = was.current !== where || document.activeElement === document.body;
    if (was.current !== null && isElsewhere) main.current?.focus({ preventScroll: true });
    was.current = where;
  }, [where, project]);

  // What one leaves for a trace stands until that is there: the page is not empty meanwhile.
  const left = useRef(route);
  const came = useRef('');
  const [, redraw] = useState(0);
  const onShown = useCallback((id: string) => {
    came.current = id;
    redraw((n) => n + 1);
  }, []);
  if (route.view !== 'trace') came.current = '';
  const isThere = route.view !== 'trace' || came.current === route.id || placeOf(left.current) === where;
  if (isThere) left.current = route;
  const standing = isThere ? null : left.current;

  if (signedOut) return <SignedOut />;
  if (noProject !== null && noProject === project) return <NoProject />;
  // Until it is known of the project that the address names, nothing can be changed in it.
  const known = session !== null && (project === null || String(session.project_id) === project) ? session : null;
  const draw = (route: Route): ComponentChild => (
    <Stale.Provider key={placeOf(route)} value={route === standing}>
      <div class="view" inert={route === standing}>
        {route.view === 'traces' && (
          <TracesView query={route} list={list.current.state} session={known} away={away} onFailure={onFailure} />
        )}
        {route.view === 'trace' && (
          <TraceView
            {...route}
            listUrl={list.current.url}
            mayChange={known && mayChange(known)}
            onFailure={onFailure}
            onShown={onShown}
          />
        )}
        {route.view === 'compare' && <CompareView a={route.a} b={route.b} onFailure={onFailure} />}
        {route.view === 'threads' && <ThreadsView list={route} onFailure={onFailure} />}
        {route.view === 'thread' && <ThreadView id={route.id} onFailure={onFailure} />}
        {route.view === 'users' && <UsersView list={route} onFailure={onFailure} />}
        {route.view === 'user' && (
          <UserView
            id={route.id}
            from={route.from}
            to={route.to}
            env={route.env}
            mayDelete={mayChange(known)}
            onFailure={onFailure}
          />
        )}
        {route.view === 'dashboard' && <Dashboard search={route.search} session={known} onFailure={onFailure} />}
        {route.view === 'settings' && (
          <SettingsView
            section={route.section}
            search={route.search}
            session={known}
            onFailure={onFailure}
            onChange={loadSession}
          />
        )}
        {route.view === 'none' && <Nowhere />}
      </div>
    </Stale.Provider>
  );
  return (
    <div class="frame">
      <Skip to="main">Skip to the content</Skip>
      <SideBar
        route={route}
        listUrl={list.current.url}
        session={session}
        onHelp={() => {
          setHelp(true);
        }}
      />
      <main key={project ?? ''} ref={main} id="main" tabIndex={-1} aria-busy={standing !== null}>
        {standing && draw(standing)}
        {draw(route)}
      </main>
      <Title />
      {help && (
        <KeysDialog
          onClose={() => {
            setHelp(false);
          }}
        />
      )}
    </div>
  );
}

/** Says where one has come to: a title that changes is not read by itself. */
function Title() {
  const [said, say] = useState('');
  useEffect(() => {
    const title = document.querySelector('title');
    const changed = new MutationObserver(() => {
      say(document.title);
    });
    if (title) changed.observe(title, { childList: true });
    return () => {
      changed.disconnect();
    };
  }, []);
  return (
    <p class="unseen" role="status">
      {said}
    </p>
  );
}
