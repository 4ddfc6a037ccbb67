import { defineConfig, type Plugin } from 'vite';
import { uplotAsUsed } from './uplot-as-used.ts';

/** The script sets the theme one has chosen; nothing is painted before, so that a dark page never flashes white. */
const blockRender: Plugin = {
  name: 'block-render',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module" crossorigin', '<script type="module" blocking="render"'),
  },
};

// The binary embeds all of it, and the page's CSP allows nothing inline. Three scripts, as large ones are packed better than many
// small: what the page begins with (list, trace), the other views (src/views/more.ts), the dashboard.
export default defineConfig({
  // Calls of h pack better than those of jsx, whose children have a name: 1 kB less.
  oxc: {
    jsx: { runtime: 'classic', pragma: 'createNode', pragmaFrag: 'Nodes' },
    jsxInject: "import { h as createNode, Fragment as Nodes } from 'preact'",
  },
  plugins: [blockRender, uplotAsUsed],
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'index', tags: ['$initial'] }] } } },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8460', '/login': 'http://127.0.0.1:8460' } },
});
