/** The places of the side bar: one row each, in its order. `key` goes there after `g`. */
import type { Route } from './route';

export interface Place {
  label: string;
  url: string;
  key: string;
  /** The views whose place this is. */
  views: Route['view'][];
}

export const places: Place[] = [
  { label: 'Traces', url: '/', key: 't', views: ['traces', 'trace', 'compare'] },
  { label: 'Dashboard', url: '/dashboard', key: 'd', views: ['dashboard'] },
  { label: 'Threads', url: '/threads', key: 'h', views: ['threads', 'thread'] },
  { label: 'Users', url: '/users', key: 'u', views: ['users', 'user'] },
  { label: 'Settings', url: '/settings', key: 's', views: ['settings'] },
];

/** The sections of the settings, in their order; `id` is the last part of the address. */
export const settingsSections: { id: string; label: string }[] = [
  { id: 'project', label: 'Project' },
  { id: 'retention', label: 'Retention' },
  { id: 'keys', label: 'API keys' },
  { id: 'prices', label: 'Prices' },
  { id: 'projects', label: 'All projects' },
  { id: 'members', label: 'Members' },
  { id: 'audit', label: 'Log' },
  { id: 'account', label: 'Account' },
];
