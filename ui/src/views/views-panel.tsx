/** Saved views: opened, saved, renamed, moved, shared, deleted. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { changeView, deleteView, getViews, saveView, type SavedView } from '../api/views';
import { isOpen, placeAfter, viewUrl, wishOf } from '../model/views';
import { useActing, type Acting } from '../widgets/acting';
import { Field } from '../widgets/field';
import { Wrong } from '../widgets/wrong';
import type { ViewsProps } from './views-menu';
import '../style/settings.css';
import '../style/views.css';

const nameMost = 100;

interface Props extends ViewsProps {
  changed: boolean;
  close: () => void;
}

export function ViewsPanel({ page, views, opened, shown, mayChange, changed, onViews, onOpen, onSaved, close }: Props) {
  const acting = useActing();
  const box = useRef<HTMLDivElement>(null);
  const [editing, setEditing] = useState<number | null>(null);
  const all = page === 'traces' ? { url: '/', label: 'All traces' } : { url: '/dashboard', label: 'As it comes' };
  useEffect(() => {
    if (!box.current?.contains(document.activeElement)) box.current?.querySelector<HTMLElement>('a')?.focus();
  }, []);

  const reload = async (): Promise<void> => {
    onViews(await getViews(AbortSignal.timeout(20_000)));
  };
  const open = (url: string): void => {
    close();
    onOpen(url);
  };
  const move = (view: SavedView, step: -1 | 1): void => {
    const position = placeAfter(views, view.id, step);
    if (position === null) return;
    acting.act(async () => {
      await changeView(view.id, { position });
      await reload();
    });
  };
  return (
    <div class="views" ref={box}>
      <ul aria-label="Saved views">
        <li>
          <ViewLink url={all.url} here={opened === null && isOpen(location.search)} onOpen={open}>
            {all.label}
          </ViewLink>
        </li>
        {views.map((view, i) => (
          <li key={view.id}>
            <ViewLink url={viewUrl(view)} here={opened?.id === view.id} onOpen={open}>
              <bdi>{view.name}</bdi>
              {view.default && <span class="mute">first</span>}
              {!view.shared && <span class="mute">yours</span>}
            </ViewLink>
            {mayChange && (
              <>
                {([-1, 1] as const).map((step) => (
                  <button
                    key={step}
                    type="button"
                    class="step"
                    disabled={i + step < 0 || i + step >= views.length}
                    aria-label={`${view.name} ${step < 0 ? 'earlier' : 'later'}`}
                    onClick={() => {
                      move(view, step);
                    }}
                  >
                    {step < 0 ? '↑' : '↓'}
                  </button>
                ))}
                <button
                  type="button"
                  class="step"
                  aria-expanded={editing === view.id}
                  aria-label={`Change ${view.name}`}
                  title="Rename, share, delete"
                  onClick={() => {
                    setEditing(editing === view.id ? null : view.id);
                  }}
                >
                  ✎
                </button>
              </>
            )}
            {editing === view.id && (
              <Edit
                view={view}
                acting={acting}
                onDone={async () => {
                  await reload();
                  setEditing(null);
                }}
                onDeleted={async () => {
                  if (opened?.id === view.id) onOpen(all.url);
                  await reload();
                  setEditing(null);
                }}
              />
            )}
          </li>
        ))}
      </ul>
      {opened && changed && mayChange && (
        <button
          type="button"
          class="button main"
          disabled={acting.busy}
          onClick={() => {
            acting.act(async () => {
              await changeView(opened.id, wishOf(shown));
              await reload();
              onSaved();
              close();
            });
          }}
        >
          Save changes
        </button>
      )}
      {mayChange ? (
        <SaveAs
          acting={acting}
          onSave={async (name, shared) => {
            const view = await saveView(page, { ...wishOf(shown), name, shared });
            await reload();
            onSaved();
            open(viewUrl(view));
          }}
        />
      ) : (
        <p class="mute">Members of the project save views.</p>
      )}
      <Wrong error={acting.error} />
    </div>
  );
}

interface LinkProps {
  url: string;
  here: boolean;
  onOpen: (url: string) => void;
  children: preact.ComponentChildren;
}

function ViewLink({ url, here, onOpen, children }: LinkProps) {
  return (
    <a
      href={url}
      aria-current={here ? 'page' : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        onOpen(url);
      }}
    >
      {children}
    </a>
  );
}

function SaveAs({ acting, onSave }: { acting: Acting; onSave: (name: string, shared: boolean) => Promise<void> }) {
  const [name, setName] = useState('');
  const [shared, setShared] = useState(true);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        acting.act(() => onSave(name.trim(), shared));
      }}
    >
      <Field
        label="Save what is shown as"
        value={name}
        placeholder="name"
        autocomplete="off"
        required
        maxLength={nameMost}
        onText={setName}
      />
      <Check label="Shared with the project" checked={shared} onChange={setShared} />
      <button type="submit" class="button" disabled={acting.busy || name.trim() === ''}>
        Save view
      </button>
    </form>
  );
}

interface CheckProps {
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (to: boolean) => void;
}

function Check({ label, checked, disabled = false, onChange }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={() => {
          onChange(!checked);
        }}
      />{' '}
      {label}
    </label>
  );
}

interface EditProps {
  view: SavedView;
  acting: Acting;
  onDone: () => Promise<void>;
  onDeleted: () => Promise<void>;
}

function Edit({ view, acting, onDone, onDeleted }: EditProps) {
  const [name, setName] = useState(view.name);
  const [shared, setShared] = useState(view.shared);
  const [first, setFirst] = useState(view.default);
  const [sure, setSure] = useState(false);
  return (
    <form
      class="view-edit"
      onSubmit={(event) => {
        event.preventDefault();
        acting.act(async () => {
          await changeView(view.id, { name: name.trim(), shared, default: shared && first });
          await onDone();
        });
      }}
    >
      <Field label="Name" value={name} autocomplete="off" required maxLength={nameMost} onText={setName} />
      <Check
        label="Shared with the project"
        checked={shared}
        disabled={view.shared && !view.mine}
        onChange={setShared}
      />
      <Check label="The page opens with it" checked={shared && first} disabled={!shared} onChange={setFirst} />
      <div class="actions">
        <button type="submit" class="button" disabled={acting.busy || name.trim() === ''}>
          Rename or change
        </button>
        <button
          type="button"
          class="button danger"
          disabled={acting.busy}
          onClick={() => {
            if (!sure) setSure(true);
            else
              acting.act(async () => {
                await deleteView(view.id);
                await onDeleted();
              });
          }}
        >
          {sure ? 'Yes, delete it' : 'Delete'}
        </button>
      </div>
      {sure && (
        <p class="mute" role="status">
          {view.shared ? 'It goes for everybody in the project.' : 'Nobody else has it.'} Traces stay.
        </p>
      )}
    </form>
  );
}
