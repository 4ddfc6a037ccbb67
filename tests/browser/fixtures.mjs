// The traces that the browser tests and the screenshots look at.
import { random, TraceBuilder } from './otlp.mjs';

const entity = (name, kind) => ({
  'traceloop.entity.name': name,
  'traceloop.span.kind': kind,
});

function messages(prefix, list) {
  const out = {};
  list.forEach((m, i) => {
    for (const [key, v] of Object.entries(m)) out[`${prefix}.${i}.${key}`] = v;
  });
  return out;
}

export const tinyModel = 'sshleifer/tiny-gpt2';
export const chatModel = 'HuggingFaceTB/SmolLM2-135M-Instruct';
export const prompt = 'Tracing Hugging Face pipelines helps';
export const continuation = ' one see where the time goes, token by token, and why an answer was late.';

/** The script of the README: a workflow and its text generation. */
export function textGeneration(seed, start) {
  const t = new TraceBuilder(seed, start);
  const root = t.span('huggingface_text_generation.workflow', {
    lasts: 55,
    type: 'workflow',
    attrs: {
      ...entity('huggingface_text_generation', 'workflow'),
      'traceloop.workflow.name': 'huggingface_text_generation',
    },
  });
  t.span(`text_completion ${tinyModel}`, {
    parent: root,
    at: 2,
    lasts: 51,
    type: 'text',
    attrs: {
      'gen_ai.system': 'huggingface',
      'gen_ai.request.model': tinyModel,
      'gen_ai.request.temperature': 0.35,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.max_length': 42,
      'gen_ai.request.repetition_penalty': 1.1,
      ...messages('gen_ai.prompt', [{ role: 'user', content: prompt }]),
      ...messages('gen_ai.completion', [
        {
          role: 'assistant',
          content: prompt + continuation,
          finish_reason: 'length',
        },
      ]),
      'gen_ai.usage.input_tokens': 9,
      'gen_ai.usage.output_tokens': 33,
      'respan.usage.source': 'measured',
      'respan.generation.time_to_first_token': 0.0042,
      'respan.generation.tokens_per_second': 705.1,
      'respan.model.dtype': 'float32',
      'respan.model.device': 'cpu',
    },
  });
  return t;
}

const draft =
  'Spans are encoded once, when they end. Spans that ended are kept when the process is killed. The waterfall draws only what is on screen, at any size.';

/** Ten spans of five kinds, a chat among them. */
export function rerankThenWrite(seed, start) {
  const t = new TraceBuilder(seed, start);
  const who = {
    'respan.customer_params.customer_identifier': 'user_421',
    'respan.threads.thread_identifier': 'conv_abc_123',
    'respan.metadata.plan': 'pro',
    'respan.environment': 'production',
  };
  const root = t.span('rerank_then_write.workflow', {
    lasts: 2210,
    type: 'workflow',
    attrs: {
      ...entity('rerank_then_write', 'workflow'),
      ...who,
      'traceloop.entity.input': JSON.stringify({
        args: [],
        kwargs: { question: 'release notes', top: 5 },
      }),
      'traceloop.entity.output': JSON.stringify({
        draft,
        saved: true,
        scores: [0.92, 0.71, 0.66],
      }),
    },
  });
  const task = (name, parent, at, lasts) =>
    t.span(`${name}.task`, {
      parent,
      at,
      lasts,
      type: 'task',
      attrs: entity(name, 'task'),
    });
  const retrieve = task('retrieve', root, 20, 378);
  t.span('embeddings all-MiniLM-L6-v2', {
    parent: retrieve,
    at: 44,
    lasts: 121,
    type: 'embedding',
    attrs: {
      'gen_ai.request.model': 'sentence-transformers/all-MiniLM-L6-v2',
      'gen_ai.usage.input_tokens': 18,
    },
  });
  t.span('search_index.tool', {
    parent: retrieve,
    at: 222,
    lasts: 158,
    type: 'tool',
    attrs: {
      ...entity('search_index', 'tool'),
      'traceloop.entity.input': JSON.stringify({
        query: 'release notes',
        k: 16,
      }),
    },
  });
  const rerank = task('rerank', root, 420, 487);
  t.span('score_pairs.task', {
    parent: rerank,
    at: 444,
    lasts: 449,
    type: 'score',
    attrs: {
      ...entity('score_pairs', 'task'),
      'traceloop.entity.input': JSON.stringify({
        pairs: ['encode spans once', 'spool survives kill -9', 'virtual waterfall'],
      }),
      'traceloop.entity.output': JSON.stringify([0.92, 0.71, 0.66]),
    },
  });
  const write = task('write', root, 930, 1260);
  const rand = random(seed + 1);
  const gaps = Array.from({ length: 63 }, (_, i) => (i === 37 ? 0.092 : 0.012 + rand() * 0.005));
  t.span('load_model.task', {
    parent: write,
    at: 938,
    lasts: 31,
    type: 'task',
    attrs: entity('load_model', 'task'),
  });
  t.span(`chat ${chatModel}`, {
    parent: write,
    at: 995,
    lasts: 1180,
    type: 'chat',
    attrs: {
      'gen_ai.system': 'huggingface',
      'gen_ai.request.model': chatModel,
      'gen_ai.request.temperature': 0.35,
      'gen_ai.request.top_p': 0.9,
      'gen_ai.request.max_new_tokens': 64,
      'gen_ai.request.repetition_penalty': 1.1,
      ...messages('gen_ai.prompt', [
        {
          role: 'system',
          content: 'You write terse release notes. No adjectives.',
        },
        {
          role: 'user',
          content:
            'Draft the release notes from these commits:\n\n- encode spans once\n- spool survives kill -9\n- virtual waterfall',
        },
      ]),
      ...messages('gen_ai.completion', [{ role: 'assistant', content: draft, finish_reason: 'length' }]),
      'gen_ai.usage.input_tokens': 212,
      'gen_ai.usage.output_tokens': 64,
      'respan.usage.source': 'measured',
      'respan.generation.time_to_first_token': 0.154,
      'respan.generation.prefill': 0.149,
      'respan.generation.decode': 1.01,
      'respan.generation.tokens_per_second': 62.4,
      'respan.generation.steps': 64,
      'respan.generation.strategy': 'sample',
      'respan.generation.token_gaps': gaps,
      'respan.generation.token_gap_p50': 0.0145,
      'respan.generation.token_gap_p99': 0.092,
      'respan.generation.token_gap_max': 0.092,
      'respan.generation.stalls': 1,
      'respan.generation.stall_time': 0.092,
      'respan.model.dtype': 'float32',
      'respan.model.device': 'cpu',
      'respan.model.revision': '7e27bd9',
      'respan.model.parameters': 134515008,
    },
  });
  t.span('store_draft.tool', {
    parent: root,
    at: 2192,
    lasts: 12,
    type: 'tool',
    attrs: entity('store_draft', 'tool'),
  });
  return t;
}

export const failure = 'CUDA out of memory. Tried to allocate 2.50 GiB (GPU 0; 7.79 GiB total capacity)';

export function failing(seed, start) {
  const t = new TraceBuilder(seed, start);
  const root = t.span('nightly_batch.workflow', {
    lasts: 840,
    type: 'workflow',
    attrs: entity('nightly_batch', 'workflow'),
    error: failure,
  });
  t.span(`text_completion ${chatModel}`, {
    parent: root,
    at: 30,
    lasts: 800,
    type: 'text',
    error: failure,
    attrs: {
      'gen_ai.request.model': chatModel,
      ...messages('gen_ai.prompt', [{ role: 'user', content: 'Summarise the night in one line.' }]),
    },
    events: [
      {
        name: 'exception',
        at: 828,
        attrs: {
          'exception.type': 'torch.OutOfMemoryError',
          'exception.message': failure,
          'exception.stacktrace':
            'Traceback (most recent call last):\n  File "nightly.py", line 31, in main\n    generate(prompts)\nOutOfMemoryError: CUDA out of memory.',
        },
      },
    ],
  });
  return t;
}

/** Two prompts in one call. */
export function batch(seed, start) {
  const t = new TraceBuilder(seed, start);
  t.span(`text_completion ${tinyModel}`, {
    lasts: 88,
    type: 'text',
    attrs: {
      'gen_ai.request.model': tinyModel,
      ...messages('gen_ai.prompt', [
        { role: 'user', content: 'First prompt of two:' },
        { role: 'user', content: 'Second prompt of two:' },
      ]),
      ...messages('gen_ai.completion', [
        { role: 'assistant', content: 'First prompt of two: first answer' },
        { role: 'assistant', content: 'Second prompt of two: second answer' },
      ]),
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 8,
    },
  });
  const chats = [
    { role: 'user', content: 'Say one.', prompt_index: 0 },
    { role: 'assistant', content: 'One.', prompt_index: 0 },
    { role: 'user', content: 'Again?', prompt_index: 0 },
    { role: 'user', content: 'Say three.', prompt_index: 1 },
  ];
  const answers = ['Uno.', 'Eins.', 'Tre.', 'Drei.'];
  t.span(`chat ${chatModel}`, {
    at: 100,
    lasts: 50,
    type: 'chat',
    attrs: {
      'gen_ai.request.model': chatModel,
      'gen_ai.request.choice.count': 2,
      'gen_ai.request.temperature': 0.7,
      'respan.request.set_parameters': ['n'],
      'respan.batch.size': 2,
      ...messages('gen_ai.prompt', chats),
      ...messages(
        'gen_ai.completion',
        answers.map((content, i) => ({ role: 'assistant', content, prompt_index: i >> 1 })),
      ),
    },
  });
  t.span(`chat with tools`, {
    at: 160,
    lasts: 50,
    type: 'chat',
    attrs: {
      'gen_ai.request.model': chatModel,
      'llm.request.functions.0.name': 'get_weather',
      'llm.request.functions.0.description': 'The weather of a city.',
      'llm.request.functions.0.parameters': '{"type":"object"}',
      ...messages('gen_ai.prompt', [
        { role: 'user', content: 'Weather in Bern?', 'content.full_length': 5_000_000 },
        {
          role: 'assistant',
          'tool_calls.0.id': 'c1',
          'tool_calls.0.name': 'get_weather',
          'tool_calls.0.arguments': '{"city":"Bern"}',
        },
        { role: 'tool', content: 'Rain', tool_call_id: 'c1' },
      ]),
      ...messages('gen_ai.completion', [{ role: 'assistant', content: 'Take an umbrella.', finish_reason: 'stop' }]),
    },
  });
  return t;
}

/** A chat whose reply only calls a tool, with all that is measured of a generation: two of its 60 pauses are stalls. */
export function measured(seed, start) {
  const t = new TraceBuilder(seed, start);
  const rand = random(seed + 1);
  const gaps = Array.from({ length: 60 }, (_, i) => (i === 20 || i === 41 ? 0.31 : 0.018 + rand() * 0.008));
  t.span(`chat ${chatModel}`, {
    lasts: 2400,
    type: 'chat',
    attrs: {
      'gen_ai.system': 'huggingface',
      'gen_ai.request.model': chatModel,
      ...messages('gen_ai.prompt', [
        { role: 'system', content: 'You may call get_weather.' },
        { role: 'user', content: 'Is it raining in Bern?' },
      ]),
      ...messages('gen_ai.completion', [
        {
          role: 'assistant',
          'tool_calls.0.name': 'get_weather',
          'tool_calls.0.arguments': '{"city":"Bern"}',
          finish_reason: 'tool_calls',
        },
      ]),
      'gen_ai.usage.input_tokens': 31,
      'gen_ai.usage.output_tokens': 61,
      'respan.usage.source': 'measured',
      'respan.usage.prompt_special_tokens': 5,
      'respan.usage.prompt_padding_tokens': 0,
      'respan.usage.completion_special_tokens': 1,
      'respan.generation.time_to_first_token': 0.42,
      'respan.generation.prefill': 0.4,
      'respan.generation.decode': 1.9,
      'respan.generation.tokens_per_second': 31.6,
      'respan.generation.steps': 61,
      'respan.generation.strategy': 'assisted_generation',
      'respan.generation.draft_tokens': 40,
      'respan.generation.draft_tokens_accepted': 31,
      'respan.generation.token_gaps': gaps,
      'respan.generation.token_gap_p50': 0.022,
      'respan.generation.token_gap_max': 0.31,
      'respan.generation.stalls': 2,
      'respan.generation.stall_time': 0.62,
      'respan.memory.peak_rss': 971_000_000,
      'respan.memory.peak_rss_source': 'measured',
      'respan.model.class': 'LlamaForCausalLM',
      'respan.model.dtype': 'float8_e4m3fn',
      'respan.model.quantization': 'bitsandbytes 4-bit nf4',
      'respan.model.parameters': 134515008,
      'respan.model.revision': '7e27bd9f95328f0f3b08261d1252705110c806f8',
    },
  });
  return t;
}

export const hostileName = '<img src=x onerror="window.pwned=1">\u202egnp.exe';

export function hostile(seed, start) {
  const t = new TraceBuilder(seed, start);
  const script = '<script>window.pwned=1</script><img src="http://evil.invalid/x.png" onerror="window.pwned=1">';
  const root = t.span(hostileName, { lasts: 40, type: 'workflow' });
  t.span('javascript:window.pwned=1', {
    parent: root,
    at: 1,
    lasts: 30,
    type: 'chat',
    attrs: {
      'gen_ai.request.model': '"><svg onload=window.pwned=1>',
      ...messages('gen_ai.prompt', [
        {
          role: '</small><script>window.pwned=1</script>',
          content: script + '\u0000\u0007 \u2066 ' + 'مرحبا',
        },
        { role: 'user', content: 'one long line '.repeat(150_000) },
      ]),
      ...messages('gen_ai.completion', [
        {
          role: 'assistant',
          content: `{{constructor.constructor('window.pwned=1')()}} ${script}`,
        },
      ]),
      [script]: script,
      ['__proto__']: 'own', // computed: a property, not the prototype
    },
  });
  return t;
}

/** A trace of n spans: fans, chains and every kind. */
export function big(seed, start, n = 10_000) {
  const t = new TraceBuilder(seed, start);
  const rand = random(seed + 1);
  const root = t.span('index_everything.workflow', {
    lasts: n * 3,
    type: 'workflow',
    attrs: entity('index_everything', 'workflow'),
  });
  let task = root;
  for (let i = 1; i < n; i++) {
    const at = i * 3;
    if (i % 20 === 1)
      task = t.span(`chunk_${Math.floor(i / 20)}.task`, {
        parent: root,
        at,
        lasts: 58,
        type: 'task',
      });
    else if (i % 20 < 4)
      t.span(`lookup_${i}.tool`, {
        parent: task,
        at,
        lasts: 1 + rand() * 4,
        type: 'tool',
      });
    else {
      t.span(`text_completion ${tinyModel}`, {
        parent: task,
        at,
        lasts: 1 + rand() * 9,
        type: 'text',
        error: i % 997 === 0 ? 'the tokenizer lost its place' : null,
        attrs: {
          'gen_ai.request.model': tinyModel,
          ...messages('gen_ai.prompt', [{ role: 'user', content: `chunk ${i}` }]),
          ...messages('gen_ai.completion', [{ role: 'assistant', content: `summary of chunk ${i}` }]),
          'gen_ai.usage.input_tokens': 20,
          'gen_ai.usage.output_tokens': 10,
        },
      });
    }
  }
  return t;
}

const questions = [
  [
    'answer_question',
    'What changed in the spool format since last week?',
    'Records carry a checksum, and a torn tail is cut at start.',
  ],
  [
    'summarise',
    'Summarise: the exporter thread owns the connection and …',
    'One thread sends; callers only append to the ring.',
  ],
  ['chat', 'Can you make the second paragraph shorter?', 'Certainly. The store writes blocks and indexes traces.'],
  ['classify_ticket', 'My traces do not show up after a restart.', 'category: configuration'],
];

/** A plain trace among many. */
export function ordinary(seed, start) {
  const rand = random(seed);
  const [name, ask, answer] = questions[seed % questions.length];
  const lasts = 60 + rand() ** 3 * 9000;
  const model = rand() < 0.5 ? chatModel : 'google/gemma-3-270m-it';
  const t = new TraceBuilder(seed + 7_000_000, start);
  const root = t.span(`${name}.workflow`, {
    lasts,
    type: 'workflow',
    attrs: {
      ...entity(name, 'workflow'),
      'respan.customer_params.customer_identifier': `user_${100 + (seed % 40)}`,
    },
  });
  t.span(`chat ${model}`, {
    parent: root,
    at: 3,
    lasts: lasts - 5,
    type: 'chat',
    attrs: {
      'gen_ai.request.model': model,
      ...messages('gen_ai.prompt', [{ role: 'user', content: ask }]),
      ...messages('gen_ai.completion', [{ role: 'assistant', content: answer }]),
      'gen_ai.usage.input_tokens': Math.floor(40 + rand() * 800),
      'gen_ai.usage.output_tokens': Math.floor(10 + rand() * 350),
      'respan.usage.source': 'measured',
    },
  });
  return t;
}

/** One turn of a conversation: a workflow with a chat in it that is told all that was said before. */
export function turn(
  seed,
  start,
  {
    user = null,
    thread = null,
    history = [],
    say = `question ${seed}`,
    answer = `Answer ${seed}.`,
    error = null,
    ...more
  } = {},
) {
  const t = new TraceBuilder(seed + 50_000, start);
  const who = {
    ...(user === null ? {} : { 'respan.customer_params.customer_identifier': user }),
    ...(thread === null ? {} : { 'respan.threads.thread_identifier': thread }),
    'respan.metadata.plan': 'pro',
  };
  const root = (t.root = t.span('answer.workflow', {
    lasts: 840,
    type: 'workflow',
    attrs: { ...entity('answer', 'workflow'), ...who },
    error,
  }));
  t.span(`chat ${chatModel}`, {
    parent: root,
    at: 12,
    lasts: 800,
    type: 'chat',
    error,
    attrs: {
      ...who,
      'gen_ai.request.model': chatModel,
      'gen_ai.request.temperature': 0.7,
      ...messages('gen_ai.prompt', [...history, { role: 'user', content: say }]),
      ...messages('gen_ai.completion', [{ role: 'assistant', content: answer, finish_reason: 'stop' }]),
      'gen_ai.usage.input_tokens': 40,
      'gen_ai.usage.output_tokens': 20,
      ...more.attrs,
    },
  });
  return t;
}

/** A turn of an agent that asks a tool: two calls of the model, each told all that was said before, and the tool between them. */
export function toolTurn(seed, start, { user, thread, history, say, tools, answer, error = null, metadata = {} }) {
  const t = new TraceBuilder(seed + 60_000, start);
  const who = {
    'respan.customer_params.customer_identifier': user,
    'respan.threads.thread_identifier': thread,
    ...Object.fromEntries(Object.entries(metadata).map(([key, v]) => [`respan.metadata.${key}`, v])),
  };
  const root = (t.root = t.span('support.agent', {
    lasts: 2600,
    type: 'agent',
    attrs: { ...entity('support', 'agent'), ...who },
  }));
  const call = (at, lasts, said, model, error) =>
    t.span(`chat ${model}`, {
      parent: root,
      at,
      lasts,
      type: 'chat',
      error,
      attrs: {
        ...who,
        'gen_ai.request.model': model,
        ...messages('gen_ai.prompt', history),
        ...messages('gen_ai.completion', said),
        'gen_ai.usage.input_tokens': 100 + at,
        'gen_ai.usage.output_tokens': 10,
        'respan.generation.time_to_first_token': 0.12,
      },
    });
  history.push({ role: 'user', content: say });
  const asks = {};
  tools.forEach(({ name, ask }, i) => {
    asks[`tool_calls.${i}.id`] = `c${seed}_${i}`;
    asks[`tool_calls.${i}.name`] = name;
    asks[`tool_calls.${i}.arguments`] = JSON.stringify(ask);
  });
  call(10, 700, [{ role: 'assistant', ...asks, finish_reason: 'tool_calls' }], chatModel, null);
  history.push({ role: 'assistant', ...asks });
  tools.forEach(({ name, ask, result }, i) => {
    t.span(`${name}.tool`, {
      parent: root,
      at: 720 + i * 100,
      lasts: 90,
      type: 'tool',
      attrs: { ...entity(name, 'tool'), ...who, 'traceloop.entity.input': JSON.stringify(ask) },
    });
    history.push({ role: 'tool', content: result, tool_call_id: `c${seed}_${i}` });
  });
  t.failing = call(1600, 900, answer === null ? [] : [{ role: 'assistant', content: answer }], tinyModel, error);
  if (answer !== null) history.push({ role: 'assistant', content: answer });
  return t;
}
