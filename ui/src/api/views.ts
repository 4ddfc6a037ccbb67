/** Saved views of the project. */
import { getJson, send } from './client';

export type ViewPage = 'traces' | 'dashboard';

export interface SavedView {
  id: number;
  page: ViewPage;
  name: string;
  q: string;
  from: string;
  to: string;
  sort: string;
  options: string;
  columns: { id: string; width?: number }[];
  shared: boolean;
  default: boolean;
  mine: boolean;
  created_by: string | null;
  created_at: string;
  changed_at: string;
}

export type ViewWish = Partial<
  Pick<SavedView, 'name' | 'q' | 'from' | 'to' | 'sort' | 'options' | 'columns' | 'shared' | 'default'> & {
    position: number;
  }
>;

const path = (id: number): string => `/api/views/${String(id)}/`;

export const getViews = async (signal: AbortSignal): Promise<SavedView[]> =>
  (await getJson<{ results: SavedView[] }>('/api/views/', signal)).results;
export const saveView = (page: ViewPage, wish: ViewWish): Promise<SavedView> =>
  send('POST', '/api/views/', { page, ...wish });
export const changeView = (id: number, wish: ViewWish): Promise<SavedView> => send('POST', path(id), wish);
export const deleteView = (id: number): Promise<unknown> => send('DELETE', path(id));
