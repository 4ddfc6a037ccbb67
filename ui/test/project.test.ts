import { expect, test } from 'vitest';
import { inProjectOf, projectOf } from '../src/model/project';

test('an address is in the project that one is in', () => {
  expect(inProjectOf('', '/threads')).toBe('/threads');
  expect(inProjectOf('?q=a', '/threads')).toBe('/threads');
  expect(inProjectOf('?q=a&project=2', '/threads')).toBe('/threads?project=2');
  expect(inProjectOf('?project=2', '/?q=status%3Aerror')).toBe('/?q=status%3Aerror&project=2');
  expect(inProjectOf('?project=2', '/api/live/?')).toBe('/api/live/?project=2');
  expect(inProjectOf('?project=a%26b', '/traces/00')).toBe('/traces/00?project=a%26b');
});

test('an address that names a project keeps it', () => {
  expect(inProjectOf('?project=2', '/?project=3')).toBe('/?project=3');
  expect(inProjectOf('?project=2', '/?q=a&project=2')).toBe('/?q=a&project=2');
});

test('the project is read from an address, if it names one', () => {
  expect(projectOf('?project=2')).toBe('2');
  expect(projectOf('?q=project%3D2')).toBe(null);
});
