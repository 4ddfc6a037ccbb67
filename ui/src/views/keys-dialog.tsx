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
      [['Space'], 'peek; Escape closes'],
      [['/'], 'filter'],
      [['f'], 'show or hide the facets'],
      [['p'], 'pause or resume live'],
      [['x'], 'mark to compare'],
      [['='], 'compare the two marked'],
      [['←', '→'], 'move in the strip; ⇧ selects, Enter zooms in, Escape out'],
    ],
  },
  {
    title: 'Trace',
    keys: [
      [['j', 'k'], 'down, up (arrows too)'],
      [['→', '←'], 'open; close, or to the parent'],
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
      [['j', 'k'], 'down, up; turn by turn in a thread'],
      [['Enter'], 'open; the turn’s trace in a thread'],
      [['/'], 'filter'],
      [['u'], 'back to the list'],
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
