/** What the page asks about accounts and keys. */
import { getJson, send } from './client';

export interface Door {
  signup_allowed: boolean;
  signed_in: boolean;
}
export const getDoor = (signal: AbortSignal): Promise<Door> => getJson('/api/auth/', signal);
export const signIn = (email: string, password: string): Promise<unknown> =>
  send('POST', '/api/auth/signin/', { email, password });
export const signUp = (who: { email: string; password: string; name: string; invite?: string }): Promise<unknown> =>
  send('POST', '/api/auth/signup/', who);
export const signOut = (): Promise<unknown> => send('POST', '/api/auth/signout/');
export const setPassword = (wanted: { current?: string; new: string }): Promise<unknown> =>
  send('POST', '/api/auth/password/', wanted);
export const setAccount = (wanted: { email: string; name: string }): Promise<unknown> =>
  send('POST', '/api/auth/account/', wanted);

export const scopes = ['ingest', 'read', 'gateway'] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKey {
  id: number;
  name: string;
  hint: string;
  scopes: Scope[];
  environment: string | null;
  created_at: string;
  expires_at: string | null;
  last_used_at: string | null;
  revoked_at: string | null;
}
export interface KeyWish {
  name: string;
  scopes: Scope[];
  environment?: string;
  expires_at?: string;
}
export const getKeys = async (signal: AbortSignal): Promise<ApiKey[]> =>
  (await getJson<{ results: ApiKey[] }>('/api/keys/', signal)).results;
export const makeKey = (wish: KeyWish): Promise<ApiKey & { key: string }> => send('POST', '/api/keys/', wish);
export const revokeKey = (id: number): Promise<unknown> => send('DELETE', `/api/keys/${String(id)}/`);

/** What of the deleted is still in the server's files. */
export interface Compacting {
  compacting: boolean;
  erased: boolean;
  error: string | null;
}
export const getCompacting = (signal: AbortSignal): Promise<Compacting> => getJson('/api/compact/', signal);

export const deleteUser = (customer: string): Promise<{ deleted: number; more: boolean }> =>
  send('POST', '/api/users/delete/', { customer_identifier: customer });
