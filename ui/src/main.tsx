import './style/tokens.css';
import './style/base.css';
import './style/traces.css';
import './style/rows.css';
import './style/trace.css';
import './style/span.css';
import './style/dialog.css';
import { render } from 'preact';
import { askEarly } from './api/early';
import { App } from './app';
import { parseRoute } from './model/route';
import { SharedTrace } from './views/shared-trace';
import { keepFocus } from './widgets/focus';
import { later } from './widgets/later';
import { applyTheme, readTheme } from './widgets/setting';

const route = parseRoute(location.pathname, location.search);
if (route.view === 'traces') askEarly(route);
applyTheme(readTheme());
const root = document.getElementById('app');
const Door = later(async () => (await import('./views/more')).Door);
const atDoor = /^\/(signin|signup|invite)\b/.test(location.pathname);
const shared = location.pathname.startsWith('/share/');
if (root) {
  render(atDoor ? <Door /> : shared ? <SharedTrace /> : <App />, root);
  keepFocus(root);
}
