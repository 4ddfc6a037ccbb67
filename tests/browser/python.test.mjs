// What "Copy as Python" copies is run: it makes what the recorded call made, greedy and by sampling.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { patience, startBrowser } from './browser.mjs';
import { startServer } from './server.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = process.env.RESPAN_PYTHON ?? `${root}.venv/bin/python`;
const skip = process.env.RESPAN_MOCK || !existsSync(python) ? `needs ${python}` : false;
const run = promisify(execFile);

const calls = `
import torch
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import pipeline

client = Respan(instrumentations=[HuggingFaceInstrumentor()])
generator = pipeline("text-generation", model="sshleifer/tiny-gpt2")
print(generator("Tracing says", max_new_tokens=12, do_sample=False)[0]["generated_text"].encode().hex())
torch.manual_seed(4242)
print(generator("Tracing\\tsays \\"why\\"", max_new_tokens=12, do_sample=True, temperature=1, top_k=40)[0]["generated_text"].encode().hex())
client.flush()
`;

let server, browser, page, environment;

before(async () => {
  if (skip) return;
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  page = await browser.newPage();
  page.setDefaultTimeout(patience);
  await page.goto(server.link);
  const cache = `${root}.run/huggingface`;
  environment = {
    ...process.env,
    HF_HOME: cache,
    HF_HUB_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    RESPAN_API_KEY: server.key,
    RESPAN_BASE_URL: `${server.url}/api`,
    RESPAN_SPOOL: 'off',
  };
  await run(python, [`${root}tools/make_tiny_model.py`, cache]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test(
  'Copy as Python: the program makes the same text, greedy and by sampling',
  { skip, timeout: 300_000 },
  async () => {
    const { stdout } = await run(python, ['-c', calls], { env: environment });
    const made = stdout.trim().split('\n').slice(-2);
    const answer = await fetch(`${server.url}/api/spans/list/?log_type=text`, { headers: { 'x-api-key': server.key } });
    const spans = (await answer.json()).results.reverse();
    assert.equal(spans.length, 2);
    for (const [i, span] of spans.entries()) {
      await page.goto(`${server.url}/traces/${span.trace_unique_id}?span=${span.span_unique_id}`);
      await page.evaluate(() => {
        navigator.clipboard.writeText = async (text) => {
          window.copied = text;
        };
      });
      await page.getByRole('button', { name: /^Copy a program/ }).click();
      const code = await (await page.waitForFunction(() => window.copied)).jsonValue();
      const again = await run(python, ['-c', `${code}\nprint(result[0]["generated_text"].encode().hex())`], {
        env: { ...environment, RESPAN_API_KEY: '' },
      });
      assert.equal(again.stdout.trim().split('\n').at(-1), made[i], code);
    }
  },
);
