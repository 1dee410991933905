/** A line with the words marked that the other side does not have: by a line below them, not by colour alone. */
import { diffWordsWithSpace } from 'diff';
import type { Line } from './lines.ts';

/** Characters: marking the words of longer lines takes longer than it helps. */
const LONGEST = 1500;

export function Words({ of, other }: { readonly of: Line; readonly other: Line | null }) {
  if (other === null || other === of || of.text.length + other.text.length > LONGEST) return <>{of.text}</>;
  const [before, after] = of.kind === 'removed' ? [of.text, other.text] : [other.text, of.text];
  const parts = diffWordsWithSpace(before, after);
  // Where hardly anything is the same, marks say nothing.
  if (!parts.some(({ added, removed, value }) => !added && !removed && value.trim() !== ''))
    return <>{of.text}</>;
  return (
    <>
      {parts.map(({ added, removed, value }, index) => {
        if (of.kind === 'removed' ? added : removed) return null;
        return added || removed ? <mark key={index}>{value}</mark> : value;
      })}
    </>
  );
}
