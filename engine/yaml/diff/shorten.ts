const SHOWN = 200;
/** Characters that both sides share and that are shown before the first one that differs. */
const LEAD = 60;

export interface Shortened {
  readonly before: string;
  readonly after: string;
  /** Does all that differs show in them? Of long texts that are equal, as secrets in them are masked, it does not. */
  readonly complete: boolean;
}

/** Two texts of at most 200 characters: cut with an ellipsis on either end, around the first place where they differ. */
export function shorten(before: string, after: string): Shortened {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const start = before.length > SHOWN || after.length > SHOWN ? Math.max(0, head - LEAD) : 0;
  const [old, now] = [window(before, start), window(after, start)];
  const complete =
    (before !== after || before.length <= SHOWN) &&
    old.end >= before.length - tail &&
    now.end >= after.length - tail;
  return { before: old.text, after: now.text, complete };
}

/** `end`: where what is shown of the text ends. */
function window(text: string, start: number): { text: string; end: number } {
  const from = Math.min(start, Math.max(0, text.length - SHOWN));
  const head = from > 0 ? '…' : '';
  const tail = text.length > from + SHOWN ? '…' : '';
  const end = Math.min(text.length, from + SHOWN - tail.length);
  return { text: head + wellFormed(text.slice(from + head.length, end)) + tail, end };
}

/** Without the halves of characters that a cut leaves at either end. */
export function wellFormed(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
}
