const MAX_LENGTH = 200;
/** Number of common characters shown before the first difference. */
const CONTEXT = 60;

export interface Shortened {
  readonly before: string;
  readonly after: string;
  /** Whether the shortened texts show every difference. False for long equal texts, whose masked secrets may differ. */
  readonly complete: boolean;
}

/** Shortens two texts to 200 characters around their first difference, with an ellipsis at each cut. */
export function shorten(before: string, after: string): Shortened {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const start = before.length > MAX_LENGTH || after.length > MAX_LENGTH ? Math.max(0, head - CONTEXT) : 0;
  const [old, now] = [window(before, start), window(after, start)];
  const complete =
    (before !== after || before.length <= MAX_LENGTH) &&
    old.end >= before.length - tail &&
    now.end >= after.length - tail;
  return { before: old.text, after: now.text, complete };
}

/** `end`: offset in the text where the window ends. */
function window(text: string, start: number): { text: string; end: number } {
  const from = Math.min(start, Math.max(0, text.length - MAX_LENGTH));
  const head = from > 0 ? '…' : '';
  const tail = text.length > from + MAX_LENGTH ? '…' : '';
  const end = Math.min(text.length, from + MAX_LENGTH - tail.length);
  return { text: head + wellFormed(text.slice(from + head.length, end)) + tail, end };
}

/** Removes surrogates that a cut left unpaired at either end. */
export function wellFormed(text: string): string {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '');
}
