import { defineConfig, type Plugin } from 'vite';

/** The script sets the theme one has chosen; nothing is painted before, so that a dark page never flashes white. */
const blockRender: Plugin = {
  name: 'block-render',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module" crossorigin', '<script type="module" blocking="render"'),
  },
};

// One script, one stylesheet: the binary embeds both, and the page's CSP allows nothing inline.
export default defineConfig({
  plugins: [blockRender],
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
    modulePreload: false,
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8460', '/login': 'http://127.0.0.1:8460' } },
});
