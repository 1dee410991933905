/** An incident on its way to the server: looked at first, then asked for until nothing of it waits for its turn. */
import { useState } from 'preact/hooks';
import type { Incident, IncidentAsk } from '../contract.ts';
import { type Answer, call } from '../data/call.ts';
import type { Problem } from '../data/problem.ts';
import { refresh } from '../data/resource.ts';

export interface Wish {
  readonly scopes: readonly string[];
  readonly to: string;
  readonly reason: string;
}

export interface Asking {
  readonly body: IncidentAsk;
  readonly sending: 'preview' | 'submit' | null;
  readonly problem: Problem | null;
  /** What would be done; null: it was not looked at as it is now. */
  readonly shown: Incident | null;
  /** What became of it, where not all of it was asked for: no ledger has what was refused. */
  readonly refused: Incident | null;
  readonly preview: () => Promise<void>;
  readonly submit: () => Promise<void>;
}

/** `onDone`: all of it was asked for. */
export function useIncident({ scopes, to, reason }: Wish, onDone: (id: string) => void): Asking {
  const [id] = useState(newId);
  const [looked, setLooked] = useState<{ readonly of: string; readonly value: Incident } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [sending, setSending] = useState<Asking['sending']>(null);
  const [refused, setRefused] = useState<Incident | null>(null);
  const rollbacks = scopes.map((scope) => ({ scope, to }));
  const body: IncidentAsk = { id, reason, onFailure: 'continue', rollbacks };
  const wanted = JSON.stringify(rollbacks);
  const send = async (what: 'preview' | 'submit', take: (value: Incident) => void) => {
    setSending(what);
    setProblem(null);
    const answer = await (what === 'preview' ? ask(body, '?dryRun=true') : askForAll(body));
    setSending(null);
    if (!answer.ok) setProblem(answer.problem);
    else if (answer.value !== null) take(answer.value);
  };
  return {
    body,
    sending,
    problem,
    shown: looked?.of === wanted ? looked.value : null,
    refused,
    preview: () => send('preview', (value) => setLooked({ of: wanted, value })),
    submit: () =>
      send('submit', (value) => {
        refresh();
        if (value.rollbacks.some(({ error }) => error !== undefined)) setRefused(value);
        else onDone(id);
      }),
  };
}

const ask = (body: IncidentAsk, query = ''): Promise<Answer<Incident>> =>
  call<Incident>(`/incidents${query}`, { method: 'POST', body });

/** Calls: each goes on with what is left of the same incident. */
const MOST_CALLS = 40;

async function askForAll(body: IncidentAsk): Promise<Answer<Incident>> {
  let answer = await ask(body);
  for (let calls = 1; calls < MOST_CALLS && answer.ok && answer.value !== null; calls++) {
    const { rollbacks } = answer.value;
    if (!rollbacks.some(({ status, error }) => status === 'not started' && error === undefined)) break;
    answer = await ask(body);
  }
  return answer;
}

/** `inc-2026-11-20-4f3a9c01`: the same incident sent again goes on with what is left of it. */
function newId(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `inc-${new Date().toISOString().slice(0, 10)}-${random.toString(16).padStart(8, '0')}`;
}
