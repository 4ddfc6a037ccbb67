import { expect, test } from 'vitest';
import { browserOf } from '../src/model/agent';
import { auditPath, auditUrl, parseAudit, said } from '../src/model/audit';

test('what the log is asked stands in the address', () => {
  const asked = { actor: 'ann@example.org', action: 'key.', text: 'a b' };
  const url = auditUrl(asked);
  expect(url).toBe('/settings/audit?actor=ann%40example.org&action=key.&text=a+b');
  expect(parseAudit(url.slice(url.indexOf('?')))).toEqual(asked);
  expect(auditUrl({ actor: '', action: '', text: '' })).toBe('/settings/audit');
  expect(auditPath({ actor: '', action: '', text: '' })).toBe('/api/audit/');
  expect(auditPath({ actor: '', action: 'key.', text: '' }, 'csv')).toBe('/api/audit/?action=key.&format=csv');
});

test('what happened is said in words, or as it is called', () => {
  expect(said('key.revoke')).toBe('revoked');
  expect(said('something.new')).toBe('something.new');
});

test('a browser is called by its name', () => {
  const safari = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Safari/604.1';
  expect(browserOf('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36')).toBe(
    'Chrome on Linux',
  );
  expect(browserOf(safari)).toBe('Safari on iOS');
  expect(browserOf('Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox on Windows');
  expect(browserOf('curl/8.0')).toBe('curl/8.0');
  expect(browserOf('x'.repeat(100))).toHaveLength(60);
  expect(browserOf(null)).toBe('a browser');
});
