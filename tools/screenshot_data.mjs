// Two days of a small support desk, as the screenshots show it: conversations with tools, batches, mistakes, users, metadata.
import { random, TraceBuilder } from '../tests/browser/otlp.mjs';
import { chatModel, failing } from '../tests/browser/fixtures.mjs';

const hour = 3_600_000;
const models = [
  { name: 'Qwen/Qwen2.5-7B-Instruct', share: 0.55, first: 0.19, speed: 48, system: 'huggingface' },
  { name: chatModel, share: 0.3, first: 0.05, speed: 96, system: 'huggingface' },
  { name: 'gpt-4o-mini', share: 0.15, first: 0.42, speed: 71, system: 'openai' },
];
const users = ['ada.lovelace', 'grace.hopper', 'alan.turing', 'katherine.johnson', 'edsger.dijkstra', 'barbara.liskov'];
const workflows = ['track_parcel', 'change_order', 'return_items', 'check_stock', 'send_invoice'];
const talks = [
  [
    [
      'My parcel says delivered, but nothing came.',
      'I am sorry. The carrier left it at locker 12; the code is in your inbox. Shall I call them back?',
    ],
    [
      'The code does not open it.',
      'Then the locker has lost its connection. I have ordered a new code: it comes within five minutes.',
    ],
    ['It came, thank you!', 'Glad to hear it. I keep the case open until tomorrow, should anything be missing.'],
  ],
  [
    [
      'Can I change the address of order 8812?',
      'Until it is packed, yes. It leaves tonight at six: where shall it go?',
    ],
    [
      'Kramgasse 49, Bern.',
      'Done. Order 8812 now goes to Kramgasse 49, 3011 Bern. You get a new confirmation by mail.',
    ],
  ],
  [
    [
      'How do I return two of three lamps?',
      'Choose the two in your orders, print the label, and drop them at any post office within 30 days.',
    ],
    ['And who pays for that?', 'We do, since both were damaged. The refund takes two working days after they arrive.'],
  ],
  [['Is the walnut desk back in stock?', 'Eleven are in the Basel warehouse. Delivery takes three days.']],
  [
    [
      'Rechnung für März bitte nochmals schicken.',
      'Gern. Die Rechnung vom 31. März ist unterwegs an die Adresse in Ihrem Konto.',
    ],
  ],
];

function said(prefix, list) {
  return Object.fromEntries(
    list.flatMap(([role, content], i) => [
      [`${prefix}.${i}.role`, role],
      [`${prefix}.${i}.content`, content],
    ]),
  );
}

/** One answer of a conversation: what was looked up, then a chat that is told all that was said. */
function answer(seed, start, { workflow, user, thread, plan, history, say, reply, slow }) {
  const rand = random(seed);
  const t = new TraceBuilder(seed, start, { 'service.name': 'support-desk' });
  const pick = rand();
  const model =
    models.find((m, i) => pick < models.slice(0, i + 1).reduce((sum, { share }) => sum + share, 0)) ?? models[0];
  const output = Math.floor(40 + rand() ** 2 * 260);
  const prompt = 380 + history.length * 70 + Math.floor(rand() * 300);
  const first = model.first * (0.7 + rand() * 0.8) * slow;
  const speed = model.speed * (0.8 + rand() * 0.3);
  const thinks = (first + output / speed) * 1000;
  const failed = rand() < 0.04 * slow;
  const error = failed ? 'the upstream model timed out after 30 s' : null;
  const who = {
    'respan.customer_params.customer_identifier': user,
    'respan.threads.thread_identifier': thread,
    'respan.metadata.plan': plan,
    'respan.metadata.language': /[äüö]/.test(say) ? 'de' : 'en',
    'respan.environment': seed % 7 === 0 ? 'staging' : 'production',
    'traceloop.workflow.name': workflow,
  };
  const named = (name, kind) => ({ 'traceloop.entity.name': name, 'traceloop.span.kind': kind, ...who });
  const looks = 60 + rand() * 120;
  const root = t.span(`${workflow}.workflow`, {
    lasts: looks + thinks + 25,
    type: 'workflow',
    error,
    attrs: {
      ...named(workflow, 'workflow'),
      'traceloop.entity.input': JSON.stringify({ kwargs: { message: say } }),
      'traceloop.entity.output': JSON.stringify(failed ? null : { reply }),
    },
  });
  const retrieve = t.span('retrieve.task', {
    parent: root,
    at: 4,
    lasts: looks,
    type: 'task',
    attrs: named('retrieve', 'task'),
  });
  t.span('search_help.tool', {
    parent: retrieve,
    at: 8,
    lasts: looks * 0.3,
    type: 'tool',
    attrs: {
      ...named('search_help', 'tool'),
      'traceloop.entity.input': JSON.stringify({ query: say.slice(0, 40), k: 4 }),
      'traceloop.entity.output': JSON.stringify(['delivery.md', 'returns.md']),
    },
  });
  t.span('search_orders.tool', {
    parent: retrieve,
    at: 12 + looks * 0.3,
    lasts: looks * 0.55,
    type: 'tool',
    attrs: {
      ...named('search_orders', 'tool'),
      'traceloop.entity.input': JSON.stringify({ customer: user, query: say.slice(0, 40) }),
      'traceloop.entity.output': JSON.stringify([
        { order: 8812, state: 'packed' },
        { order: 8790, state: 'delivered' },
      ]),
    },
  });
  t.span(`chat ${model.name}`, {
    parent: root,
    at: looks + 10,
    lasts: thinks,
    type: 'chat',
    error,
    attrs: {
      ...who,
      'gen_ai.system': model.system,
      'gen_ai.request.model': model.name,
      'gen_ai.request.temperature': 0.4,
      'gen_ai.request.max_new_tokens': 512,
      ...said('gen_ai.prompt', [
        ['system', 'You answer customers of a furniture shop: briefly, kindly, and only what the orders say.'],
        ...history,
        ['user', say],
      ]),
      ...(failed ? {} : said('gen_ai.completion', [['assistant', reply]])),
      'gen_ai.usage.input_tokens': prompt,
      'gen_ai.usage.output_tokens': failed ? 0 : output,
      'gen_ai.usage.cache_read.input_tokens': Math.floor(prompt * (history.length > 0 ? 0.62 : 0.2)),
      'respan.usage.source': 'measured',
      ...(failed
        ? {}
        : {
            'respan.generation.time_to_first_token': first,
            'respan.generation.prefill': first * 0.95,
            'respan.generation.decode': output / speed,
            'respan.generation.tokens_per_second': speed,
            'respan.generation.token_gaps': Array.from(
              { length: output - 1 },
              () => (rand() < 0.01 ? 4 : 0.8 + rand() * 0.4) / speed,
            ),
          }),
      ...(model.system === 'huggingface' ? { 'respan.model.dtype': 'bfloat16', 'respan.model.device': 'cuda:0' } : {}),
    },
  });
  return t;
}

const tools = ['search_papers', 'fetch_pdf', 'read_table', 'run_python', 'compare_numbers', 'take_notes'];

/** An agent of thirty steps: each asks the model, which calls a tool; two of the tools fail, and are asked again. */
export function research(seed, start) {
  const rand = random(seed);
  const t = new TraceBuilder(seed, start, { 'service.name': 'research-agent' });
  const who = {
    'respan.customer_params.customer_identifier': 'ada.lovelace',
    'respan.threads.thread_identifier': 'research-77',
    'respan.environment': 'production',
    'respan.metadata.plan': 'business',
  };
  const named = (name, kind) => ({ 'traceloop.entity.name': name, 'traceloop.span.kind': kind, ...who });
  const ask = 'Which papers on speculative decoding report wall-clock gains on consumer GPUs, and how large?';
  const history = [
    ['system', 'You are a careful researcher. Use the tools, and cite what you use.'],
    ['user', ask],
  ];
  const steps = Array.from({ length: 30 }, (_, i) => ({
    thinks: 700 + rand() * 1500,
    works: 80 + rand() * 400,
    error: i === 11 ? 'HTTP 429: too many requests, retry after 2 s' : i === 22 ? "KeyError: 'table_4'" : null,
  }));
  const lasts = steps.reduce((sum, { thinks, works }) => sum + thinks + works + 60, 0);
  const root = t.span('deep_research.agent', {
    lasts,
    type: 'agent',
    attrs: {
      ...named('deep_research', 'agent'),
      'traceloop.entity.input': JSON.stringify({ question: ask }),
      'traceloop.entity.output': JSON.stringify({ answer: 'Four do: between 1.4 and 2.3 times as fast.' }),
    },
  });
  let at = 20;
  steps.forEach(({ thinks, works, error }, i) => {
    const tool = tools[i % tools.length];
    const output = Math.floor(30 + rand() * 200);
    const step = t.span(`step_${i + 1}.task`, {
      parent: root,
      at,
      lasts: thinks + works + 40,
      type: 'task',
      attrs: named(`step_${i + 1}`, 'task'),
    });
    t.span(`chat ${models[0].name}`, {
      parent: step,
      at: at + 5,
      lasts: thinks,
      type: 'chat',
      attrs: {
        ...who,
        'gen_ai.system': 'huggingface',
        'gen_ai.request.model': models[0].name,
        'gen_ai.request.temperature': 0.2,
        ...said('gen_ai.prompt', history.slice(-8)),
        'gen_ai.completion.0.role': 'assistant',
        'gen_ai.completion.0.content': 'I look at the tables before I trust the abstract.',
        'gen_ai.completion.0.tool_calls.0.id': `c${i}`,
        'gen_ai.completion.0.tool_calls.0.name': tool,
        'gen_ai.completion.0.tool_calls.0.arguments': JSON.stringify({ about: 'speculative decoding', page: i + 1 }),
        'gen_ai.completion.0.finish_reason': 'tool_calls',
        'gen_ai.usage.input_tokens': 900 + i * 310,
        'gen_ai.usage.output_tokens': output,
        'respan.usage.source': 'measured',
        'respan.generation.time_to_first_token': 0.12 + rand() * 0.3,
        'respan.generation.tokens_per_second': (output / thinks) * 1000,
      },
    });
    t.span(`${tool}.tool`, {
      parent: step,
      at: at + thinks + 15,
      lasts: works,
      type: 'tool',
      error,
      attrs: {
        ...named(tool, 'tool'),
        'traceloop.entity.input': JSON.stringify({ about: 'speculative decoding', page: i + 1 }),
        'traceloop.entity.output': JSON.stringify(error === null ? { rows: 3 } : null),
      },
    });
    history.push(['assistant', `I used ${tool}.`], ['user', error ?? 'Three rows were found.']);
    at += thinks + works + 60;
  });
  return t;
}

/** The traces of the last two days, oldest first; busier at some hours than at others. */
export function days(now) {
  const made = [];
  let seed = 1;
  for (let ago = 47 * hour; ago > 0.1 * hour;) {
    const rand = random(seed * 31);
    const busy = 0.35 + 0.65 * Math.sin((Math.PI * (24 - ago / hour)) / 24) ** 2;
    const slow = ago > 6 * hour && ago < 7.5 * hour ? 2.6 : 1;
    const talk = talks[seed % talks.length];
    const user = users[Math.floor(rand() ** 1.6 * users.length)];
    const history = [];
    talk.forEach(([say, reply], turn) => {
      made.push(
        answer(seed * 10 + turn, now - ago + turn * 95_000, {
          workflow: workflows[seed % talks.length],
          user,
          thread: `ticket-${4200 + seed}`,
          plan: user.length % 2 ? 'business' : 'home',
          history: [...history],
          say,
          reply,
          slow,
        }),
      );
      history.push(['user', say], ['assistant', reply]);
    });
    if (seed % 40 === 0) made.push(failing(seed + 500_000, now - ago + 30_000));
    seed += 1;
    ago -= ((4 + rand() * 9) * 60_000) / busy / 1.6;
  }
  return made.filter((t) => t.start < now - 60_000).sort((a, b) => a.start - b.start);
}
