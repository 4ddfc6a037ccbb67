/** The menu of saved views: which one is open, and whether it was changed since. */
import type { SavedView, ViewPage } from '../api/views';
import { isChanged, type Shown } from '../model/views';
import { later } from '../widgets/later';
import { Popover } from '../widgets/popover';

export interface ViewsProps {
  page: ViewPage;
  views: SavedView[];
  /** The one that is open. */
  opened: SavedView | null;
  shown: Shown;
  mayChange: boolean;
  onViews: (views: SavedView[]) => void;
  /** An address to go to. */
  onOpen: (url: string) => void;
  /** What is shown is what the open view has. */
  onSaved: () => void;
}

const ViewsPanel = later(async () => (await import('./more')).ViewsPanel);

export function ViewsMenu(props: ViewsProps) {
  const { opened, shown } = props;
  const changed = opened !== null && isChanged(opened, shown);
  return (
    <Popover
      label={
        opened === null ? (
          'Views'
        ) : (
          <span class="view-name">
            <bdi>{opened.name}</bdi>
            {changed && <i title="Changed since it was saved" aria-label="changed" role="img" />}
          </span>
        )
      }
      title="Saved views"
    >
      {(close) => <ViewsPanel {...props} changed={changed} close={close} />}
    </Popover>
  );
}
