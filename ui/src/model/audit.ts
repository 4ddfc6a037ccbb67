/** The log of who changed what: what it is asked for, and what its words mean. */

export interface AuditQuery {
  /** Whole; '' of anybody. */
  actor: string;
  /** One, or all that begin so if it ends with a point; '' any. */
  action: string;
  /** Somewhere in it; '' any. */
  text: string;
}

export function parseAudit(search: string): AuditQuery {
  const query = new URLSearchParams(search);
  const of = (name: string): string => query.get(name) ?? '';
  return { actor: of('actor'), action: of('action'), text: of('text') };
}

const paramsOf = (asked: AuditQuery): URLSearchParams =>
  new URLSearchParams(Object.entries(asked).filter(([, value]) => value !== ''));

export function auditUrl(asked: AuditQuery): string {
  const query = paramsOf(asked);
  return query.size === 0 ? '/settings/audit' : `/settings/audit?${query.toString()}`;
}

export function auditPath(asked: AuditQuery, format?: 'csv' | 'jsonl'): string {
  const query = paramsOf(asked);
  if (format !== undefined) query.set('format', format);
  return query.size === 0 ? '/api/audit/' : `/api/audit/?${query.toString()}`;
}

/** What one may look for, as the select has it. */
export const kinds: { action: string; label: string }[] = [
  { action: '', label: 'everything' },
  { action: 'signin', label: 'sign-ins' },
  { action: 'signin.failed', label: 'failed sign-ins' },
  { action: 'session.', label: 'sessions ended' },
  { action: 'user.', label: 'users' },
  { action: 'invite.', label: 'invites' },
  { action: 'key.', label: 'API keys' },
  { action: 'project.', label: 'projects' },
  { action: 'view.', label: 'saved views' },
  { action: 'trace.', label: 'traces' },
];

const words: Record<string, string> = {
  signin: 'signed in',
  'signin.failed': 'failed to sign in',
  'session.end': 'ended sessions of',
  'user.add': 'added the user',
  'user.role': 'changed the role of',
  'user.account': 'changed the account of',
  'user.password': 'changed the password of',
  'user.remove': 'removed the user',
  'invite.create': 'invited',
  'invite.delete': 'ended the invite of',
  'invite.accept': 'accepted the invite as',
  'key.create': 'made',
  'key.revoke': 'revoked',
  'organization.create': 'made the organization',
  'organization.rename': 'renamed the organization to',
  'organization.delete': 'deleted the organization',
  'project.create': 'made the project',
  'project.rename': 'renamed the project to',
  'project.retention': 'changed what is kept of',
  'project.delete': 'deleted the project',
  'price.set': 'set the price of',
  'price.unset': 'removed the price of',
  'price.time.set': 'set the price of time on',
  'price.time.unset': 'removed the price of time on',
  'project.compact': 'compacted',
  'trace.share': 'shared the trace',
  'trace.unshare': 'ended the link to the trace',
  'trace.pin': 'pinned the trace',
  'trace.unpin': 'unpinned the trace',
  'trace.delete': 'deleted the trace',
  'view.create': 'saved the view',
  'view.change': 'changed the view',
  'view.delete': 'deleted the view',
};

/** In words, where it is known what it means. */
export const said = (action: string): string => words[action] ?? action;
