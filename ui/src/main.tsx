import './style/tokens.css';
import './style/base.css';
import './style/traces.css';
import './style/trace.css';
import './style/span.css';
import './style/dialog.css';
import { render } from 'preact';
import { App } from './app';
import { SharedTrace } from './views/shared-trace';
import { applyTheme, readTheme } from './widgets/setting';

applyTheme(readTheme());
const root = document.getElementById('app');
const shared = location.pathname.startsWith('/share/');
if (root) render(shared ? <SharedTrace /> : <App />, root);
