/** Which messages of a request were said before: chats send what was said with each request, some without its oldest part, some with
 *  questions in other words than they were first asked in. Messages are numbers here, equal where they say the same. */

export interface Alignment {
  /** Of each message that is sent: whether it was said before. */
  known: boolean[];
  /** How many were, and how many of them in other words. */
  again: number;
  reworded: number;
  /** What was said last is among them: this goes on with it. */
  goesOn: boolean;
}

/** So many of the last messages are compared with each other where two lines of talk do not begin alike. */
const compared = 300;

function commonPrefix(a: number[], b: number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n++;
  return n;
}

/** The longest common part in order, as pairs of places. */
function commonParts(a: number[], b: number[]): [number, number][] {
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return pairs;
}

export interface Messages {
  /** Whether a model said it. */
  isAnswer: (message: number) => boolean;
  /** Whether one's text is a part of the other's. */
  isPart: (a: number, b: number) => boolean;
}

/** Null: what is sent has nothing to do with what was said. */
export function align(said: number[], sent: number[], { isAnswer, isPart }: Messages): Alignment | null {
  const same = commonPrefix(said, sent);
  const a0 = Math.max(same, said.length - compared);
  const b0 = Math.max(same, sent.length - compared);
  const pairs = commonParts(said.slice(a0), sent.slice(b0)).map(([i, j]): [number, number] => [i + a0, j + b0]);
  const [only] = pairs;
  if (same === 0 && pairs.length < 2 && !(only && isAnswer(sent[only[1]] ?? -1))) return null;
  const known = sent.map((_, i) => i < same || (i < b0 && pairs.length > 0));
  for (const [, j] of pairs) known[j] = true;
  // A question before an answer that is known stands where another stood: it is that one, with more or less beside it.
  let reworded = 0;
  for (const [i, j] of pairs) {
    const [was, is] = [said[i - 1], sent[j - 1]];
    if (was === undefined || is === undefined || known[j - 1] || !isAnswer(sent[j] ?? -1)) continue;
    if (isAnswer(was) || isAnswer(is) || !isPart(was, is)) continue;
    known[j - 1] = true;
    reworded++;
  }
  const lastSaid = pairs.at(-1)?.[0] ?? same - 1;
  return { known, again: known.filter(Boolean).length, reworded, goesOn: lastSaid === said.length - 1 };
}
