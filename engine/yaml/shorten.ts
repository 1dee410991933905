const SHOWN = 200;
/** Characters that both sides share and that are shown before the first one that differs. */
const LEAD = 60;

/** Two texts of at most 200 characters: cut with an ellipsis on either end, around the first place where they differ. */
export function shorten(before: string, after: string): [string, string] {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const start = before.length > SHOWN || after.length > SHOWN ? Math.max(0, same - LEAD) : 0;
  return [window(before, start), window(after, start)];
}

function window(text: string, start: number): string {
  const from = Math.min(start, Math.max(0, text.length - SHOWN));
  const head = from > 0 ? '…' : '';
  const tail = text.length > from + SHOWN ? '…' : '';
  const room = SHOWN - head.length - tail.length;
  return head + wellFormed(text.slice(from, from + room)) + tail;
}

/** Without the halves of characters that a cut leaves at either end. */
function wellFormed(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
}
