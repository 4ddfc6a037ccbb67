// Debian's chromium, driven by playwright-core; it asks nobody for anything by itself.
import { createRequire } from 'node:module';
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const { chromium } = createRequire(new URL('../../ui/package.json', import.meta.url))('playwright-core');

export const artifacts = fileURLToPath(new URL('./artifacts/', import.meta.url));

/** For a page on a busy machine, in ms: it is waited for what is to come, and only what never comes takes as long. */
export const patience = 60_000;

export async function startBrowser() {
  await mkdir(artifacts, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Notes whatever a well-behaved page does not do: errors, warnings, CSP violations, requests to other origins. */
export function watch(page, origin) {
  const complaints = [];
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') complaints.push(`${m.type()}: ${m.text()}`);
  });
  page.on('pageerror', (e) => complaints.push(`uncaught: ${e.message}`));
  page.on('request', (r) => {
    const url = r.url();
    if (!url.startsWith(`${origin}/`) && !url.startsWith('data:')) complaints.push(`request to ${url}`);
  });
  return complaints;
}
