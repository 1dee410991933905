/** What is kept of a submission for as long as this tab is open: its reason, and the key by which it is done once. */

const NAME = 'backtrail-draft';

interface Draft {
  readonly scope: string;
  readonly reason: string;
  /** What was sent with the key; empty: nothing yet. */
  readonly sent: string;
  readonly key: string;
}

export function readReason(scope: string): string {
  const draft = read();
  return draft?.scope === scope ? draft.reason : '';
}

export function keepReason(scope: string, reason: string): void {
  const draft = read();
  write({ sent: '', key: '', ...(draft?.scope === scope && draft), scope, reason });
}

/** The same for the same words: a submission whose answer was lost is not made twice. */
export function keyFor(scope: string, body: object): string {
  const draft = read();
  const sent = JSON.stringify(body);
  if (draft !== null && draft.scope === scope && draft.sent === sent) return draft.key;
  const key = crypto.getRandomValues(new Uint32Array(6)).join('-');
  write({ scope, reason: readReason(scope), sent, key });
  return key;
}

export function forgetDraft(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing was kept.
  }
}

function read(): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? 'null');
  } catch {
    return null;
  }
}

function write(draft: Draft): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch {
    // It holds until the page is loaded anew.
  }
}
