import { places } from '../model/places';
import { Modal } from '../widgets/dialog';

const groups: { title: string; keys: [keys: string[], does: string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ...places.map(({ label, key }): [string[], string] => [['g', key], label.toLowerCase()]),
      [['?'], 'these keys'],
    ],
  },
  {
    title: 'List',
    keys: [
      [['j', 'k'], 'down, up (arrows too)'],
      [['Enter'], 'open'],
      [['Space'], 'look at it; Escape'],
      [['/'], 'filter'],
      [['f'], 'values to filter by'],
      [['p'], 'pause, go on'],
      [['x'], 'mark to compare'],
      [['='], 'compare the two marked'],
      [['←', '→'], 'in the strip: move; with ⇧ choose, Enter, Escape'],
    ],
  },
  {
    title: 'Trace',
    keys: [
      [['j', 'k'], 'down, up (arrows too)'],
      [['→', '←'], 'open, close, to the parent'],
      [['[', ']'], 'close, open one level'],
      [['{', '}'], 'close, open all levels'],
      [['w', 's'], 'zoom in, out'],
      [['a', 'd'], 'pan left, right'],
      [['0'], 'whole trace'],
      [['e'], 'next error'],
      [['c'], 'critical path'],
      [['r'], 'read the model calls'],
      [['/'], 'search the trace'],
      [['n', 'N'], 'next, previous match'],
      [['u'], 'back to the list'],
    ],
  },
  {
    title: 'Threads, users',
    keys: [
      [['j', 'k'], 'down, up; in a thread turn by turn'],
      [['Enter'], 'open; in a thread the turn’s trace'],
      [['/'], 'filter'],
      [['u'], 'back to the threads, to the users'],
    ],
  },
];

export function KeysDialog({ onClose }: { onClose: () => void }) {
  return (
    <Modal class="keys" title="Keys" onClose={onClose}>
      {groups.map(({ title, keys }) => (
        <section key={title}>
          <h2>{title}</h2>
          <dl>
            {keys.map(([names, does]) => (
              <div key={does}>
                <dt>
                  {names.map((name) => (
                    <kbd key={name}>{name}</kbd>
                  ))}
                </dt>
                <dd>{does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <form method="dialog">
        <button class="button">Close</button>
      </form>
    </Modal>
  );
}
