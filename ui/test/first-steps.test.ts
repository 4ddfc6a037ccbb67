import { expect, test } from 'vitest';
import { firstSteps } from '../src/model/first-steps';

test('each way has the key and the server once there is a key, and finds them in the file before', () => {
  const made = firstSteps('https://traces.example', 'rsp_abc');
  expect(made.map(({ id }) => id)).toEqual(['python', 'c', 'otel']);
  for (const { code } of made) {
    expect(code).toContain('rsp_abc');
    expect(code).toContain('https://traces.example');
    expect(code).not.toContain('credentials');
  }
  const [python, ...others] = firstSteps('http://127.0.0.1:8460', null);
  expect(python?.code.split('\n')).toHaveLength(3);
  expect(python?.code).toContain('Respan(instrumentations=');
  for (const { code } of others) expect(code).toContain('. ~/.config/respan/credentials');
});
