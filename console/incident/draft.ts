/** What is kept of an incident that is about to be asked for, for as long as this tab is open: nothing of it is lost by a reload. */
import type { IncidentAsk } from '../contract.ts';

const NAME = 'backtrail-incident';

export interface Draft {
  /** Of the incident: with a scope it makes the id of a request, so that the same sent again asks for nothing twice. */
  readonly id: string;
  readonly scopes: readonly string[];
  readonly to: string;
  readonly atomic: boolean;
  readonly reason: string;
  /** Scopes of the preview that are not to be asked for. */
  readonly left: readonly string[];
  /** What was sent, and not answered clearly. */
  readonly sent: Sent | null;
}

export interface Sent {
  readonly body: IncidentAsk;
  /** `Idempotency-Key` */
  readonly key: string;
}

const emptyDraft = (): Draft => ({
  id: newId(),
  scopes: [],
  to: 'previous',
  atomic: false,
  reason: '',
  left: [],
  sent: null,
});

export function readDraft(): Draft {
  try {
    const kept: Partial<Draft> | null = JSON.parse(sessionStorage.getItem(NAME) ?? 'null');
    return { ...emptyDraft(), ...kept };
  } catch {
    return emptyDraft();
  }
}

export function keepDraft(draft: Draft): void {
  try {
    sessionStorage.setItem(NAME, JSON.stringify(draft));
  } catch {
    // It holds until the page is loaded anew.
  }
}

export function forgetDraft(): void {
  try {
    sessionStorage.removeItem(NAME);
  } catch {
    // Nothing was kept.
  }
}

export const newKey = (): string => crypto.getRandomValues(new Uint32Array(6)).join('-');

/** `inc-2026-11-20-4f3a9c01` */
function newId(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `inc-${new Date().toISOString().slice(0, 10)}-${random.toString(16).padStart(8, '0')}`;
}
