/** What neither the list nor a trace is made of, but for the dashboard: one script, fetched when the first of them is shown. */
export { CompareView } from './compare';
export { Door } from './door';
export { FirstSteps } from './first-steps';
export { KeysDialog } from './keys-dialog';
export { RawTab } from './span-raw';
export { Reader } from './reader';
export { SettingsView } from './settings';
export { ThreadView } from './thread';
export { ThreadsView } from './threads';
export { TracePeek } from './trace-peek';
export { UserView } from './user';
export { UsersView } from './users';
export { ViewsPanel } from './views-panel';
