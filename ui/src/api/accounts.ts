/** What the page asks about accounts and keys. */
import { getJson, send } from './client';
import type { Role } from './types';

export interface Door {
  signup_allowed: boolean;
  signed_in: boolean;
}
export const getDoor = (signal: AbortSignal): Promise<Door> => getJson('/api/auth/', signal);
export const signIn = (email: string, password: string): Promise<unknown> =>
  send('POST', '/api/auth/signin/', { email, password });
export const signUp = (who: { email: string; password: string; name: string; invite?: string }): Promise<unknown> =>
  send('POST', '/api/auth/signup/', who);
/** Of who is signed in. */
export const joinBy = (invite: string): Promise<unknown> => send('POST', '/api/auth/invite/', { invite });
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

// --- who may come in ---

export interface Member {
  id: number;
  email: string;
  name: string;
  role: Role;
  has_password: boolean;
  created_at: string;
  last_seen_at: string | null;
}
export interface Invite {
  id: number;
  role: Role;
  /** The only one it is for; null: whoever has the link. */
  email: string | null;
  created_at: string;
  expires_at: string;
}
export const getMembers = async (signal: AbortSignal): Promise<Member[]> =>
  (await getJson<{ results: Member[] }>('/api/members/', signal)).results;
export const setRole = (id: number, role: Role): Promise<Member> =>
  send('POST', `/api/members/${String(id)}/`, { role });
export const removeMember = (id: number): Promise<unknown> => send('DELETE', `/api/members/${String(id)}/`);
export const getInvites = async (signal: AbortSignal): Promise<Invite[]> =>
  (await getJson<{ results: Invite[] }>('/api/invites/', signal)).results;
export const makeInvite = (wish: { role: Role; email?: string }): Promise<Invite & { url: string }> =>
  send('POST', '/api/invites/', wish);
export const revokeInvite = (id: number): Promise<unknown> => send('DELETE', `/api/invites/${String(id)}/`);

// --- who changed what ---

export interface AuditEntry {
  id: number;
  time: string;
  actor: string;
  action: string;
  target: string;
  project: number | null;
  address: string | null;
}
export const getAudit = (path: string, signal: AbortSignal): Promise<{ results: AuditEntry[]; next: string | null }> =>
  getJson(path, signal);

// --- where one is signed in ---

export interface OwnSession {
  id: number;
  /** The one that asks. */
  current: boolean;
  created_at: string;
  last_used_at: string | null;
  expires_at: string;
  address: string | null;
  agent: string | null;
}
export const getSessions = async (signal: AbortSignal): Promise<OwnSession[]> =>
  (await getJson<{ results: OwnSession[] }>('/api/auth/sessions/', signal)).results;
export const endSession = (id: number): Promise<unknown> => send('DELETE', `/api/auth/sessions/${String(id)}/`);
export const endOtherSessions = (): Promise<{ ended: number }> => send('DELETE', '/api/auth/sessions/');

// --- projects ---

export interface Project {
  id: number;
  name: string;
  /** null: all is kept. */
  retention_days: number | null;
  retention_bytes: number | null;
  spans: number;
  traces: number;
  bytes: number;
}
export type ProjectChange = Partial<Pick<Project, 'name' | 'retention_days' | 'retention_bytes'>>;
const projectPath = (id: number): string => `/api/projects/${String(id)}/`;

export const getProjects = async (signal: AbortSignal): Promise<Project[]> =>
  (await getJson<{ results: Project[] }>('/api/projects/', signal)).results;
export const makeProject = (name: string): Promise<Project> => send('POST', '/api/projects/', { name });
export const changeProject = (id: number, to: ProjectChange): Promise<Project> => send('POST', projectPath(id), to);
export const deleteProject = (id: number, name: string): Promise<unknown> => send('DELETE', projectPath(id), { name });

export const makeOrganization = (name: string): Promise<unknown> => send('POST', '/api/organizations/', { name });
export const renameOrganization = (id: number, name: string): Promise<unknown> =>
  send('POST', `/api/organizations/${String(id)}/`, { name });

export const compact = (): Promise<unknown> => send('POST', '/api/compact/');
