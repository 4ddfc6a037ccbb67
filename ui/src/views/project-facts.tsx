/** What there is to know of a project, at the head of a page of its settings: its name, then facts in words, then in figures. */
interface Props {
  name: string;
  /** Each a name and what it is, in their order. */
  words?: [string, string][];
  figures: [string, string][];
}

export function ProjectFacts({ name, words = [], figures }: Props) {
  return (
    <dl class="facts">
      <div>
        <dt>Project</dt>
        <dd>
          <bdi>{name}</bdi>
        </dd>
      </div>
      {words.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      {figures.map(([what, value]) => (
        <div key={what}>
          <dt>{what}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
