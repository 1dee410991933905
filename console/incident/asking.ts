/** An incident on its way: looked at first, then asked for, once, and bound to the plans that were looked at. */
import { useState } from 'preact/hooks';
import type { Incident, IncidentAsk } from '../contract.ts';
import { call } from '../data/call.ts';
import type { Problem } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';
import { type Draft, forgetDraft, keepDraft, newKey, readDraft, type Sent } from './draft.ts';
import type { Wish } from './wish.ts';

export type IncidentRow = Incident['rollbacks'][number];

export interface Asking {
  readonly draft: Draft;
  readonly sending: 'preview' | 'submit' | null;
  readonly problem: Problem | null;
  /** What would be done; null: not asked yet, or something else is chosen by now. */
  readonly shown: Incident | null;
  /** Of a submission: what was not done. Nothing at all, or not all of it. */
  readonly refused: { readonly rows: readonly IncidentRow[]; readonly isNothing: boolean } | null;
  readonly change: (change: Partial<Draft>) => void;
  readonly preview: () => Promise<void>;
  readonly submit: (rows: readonly IncidentRow[]) => Promise<void>;
  /** What was sent and not answered, word for word. */
  readonly again: () => Promise<void>;
  readonly startAnew: () => void;
}

/** Milliseconds: hundreds of plans take their time. */
const PATIENCE = 600_000;

/** `onDone`: all of it was asked for. */
export function useIncident(wish: Wish, onDone: (id: string) => void): Asking {
  const [draft, setDraft] = useState<Draft>(() => draftFor(wish));
  const [looked, setLooked] = useState<{ readonly of: string; readonly value: Incident } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [sending, setSending] = useState<Asking['sending']>(null);
  const [refused, setRefused] = useState<Asking['refused']>(null);
  const change = (what: Partial<Draft>) =>
    setDraft((before) => {
      const next = { ...before, ...what };
      keepDraft(next);
      return next;
    });
  const wanted = JSON.stringify([wish.scopes, wish.to, wish.atomic]);
  const preview = async () => {
    setSending('preview');
    setProblem(null);
    setRefused(null);
    // Why may be written while it is looked at.
    const body = bodyOf({ ...draft, ...wish, reason: draft.reason.trim() || 'Preview' }, null);
    const answer = await call<Incident>('/incidents?dryRun=true', {
      method: 'POST',
      body,
      patience: PATIENCE,
    });
    setSending(null);
    if (!answer.ok) setProblem(answer.problem);
    else if (answer.value !== null) setLooked({ of: wanted, value: answer.value });
  };
  const send = async (sent: Sent) => {
    setSending('submit');
    setProblem(null);
    change({ sent });
    const { body, key } = sent;
    const answer = await call<Incident>('/incidents', { method: 'POST', body, key, patience: PATIENCE });
    setSending(null);
    refresh();
    if (!answer.ok) {
      const rows = rowsIn(answer.problem);
      if (rows.length > 0) setRefused({ rows, isNothing: true });
      else setProblem(answer.problem);
      // The plans that it was bound to may be others by now.
      if (!isUnclear(answer.problem)) {
        change({ sent: null });
        setLooked(null);
      }
      return;
    }
    forgetDraft();
    const rows = answer.value?.rollbacks ?? [];
    if (rows.some(({ error }) => error !== undefined)) setRefused({ rows, isNothing: false });
    else onDone(body.id);
  };
  return {
    draft,
    sending,
    problem,
    shown: looked?.of === wanted ? looked.value : null,
    refused,
    change,
    preview,
    submit: (rows) => send({ body: bodyOf({ ...draft, ...wish }, rows), key: newKey() }),
    again: async () => {
      if (draft.sent !== null) await send(draft.sent);
    },
    startAnew: () => {
      forgetDraft();
      setDraft(draftFor(wish));
      setProblem(null);
    },
  };
}

/** What was left out of another choice is not left out of this one. */
function draftFor({ scopes, to, atomic }: Wish): Draft {
  const kept = readDraft();
  const isSame = JSON.stringify(kept.scopes) === JSON.stringify(scopes);
  return { ...kept, scopes, to, atomic, ...(!isSame && { left: [] }) };
}

/** `rows`: those of the preview that are asked for, each bound to its plan; null: whatever is chosen. */
export function bodyOf(
  { id, reason, atomic, to, scopes }: Draft,
  rows: readonly IncidentRow[] | null,
): IncidentAsk {
  const rollbacks =
    rows?.map(({ scope, plan }) => ({
      scope,
      to,
      ...(plan && { digest: plan.digest, rendered: plan.rendered }),
    })) ?? scopes.map((scope) => ({ scope, to }));
  return { id, reason, atomic, onFailure: 'continue', rollbacks };
}

/** Nobody knows whether it arrived, or it is still being done. */
const isUnclear = ({ kind, code }: Problem): boolean =>
  kind === 'offline' ||
  kind === 'away' ||
  (kind === 'broken' && (code === '' || code === 'INTERNAL')) ||
  code === 'KEY_BUSY' ||
  code === 'TOO_MANY_CALLS';

function rowsIn({ details }: Problem): readonly IncidentRow[] {
  const rows = details['rollbacks'];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the server's tests hold it to its document
  return Array.isArray(rows) ? (rows as IncidentRow[]) : [];
}
