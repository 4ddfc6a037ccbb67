import './style/tokens.css';
import './style/base.css';
import './style/traces.css';
import './style/trace.css';
import './style/span.css';
import { render } from 'preact';
import { App } from './app';
import { applyTheme, readTheme } from './widgets/setting';

applyTheme(readTheme());
const root = document.getElementById('app');
if (root) render(<App />, root);
