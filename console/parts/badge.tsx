/** A state in a word, with a sign that says the same without colour. */
type Tone = 'good' | 'bad' | 'warn' | 'info' | 'plain';

const SIGNS: Readonly<Record<Tone, string>> = { good: '✓', bad: '✕', warn: '!', info: '…', plain: '·' };

/** Words of requests, revisions, holds, clusters and drift; what is not named here is plain. */
const TONES: Readonly<Record<string, Tone>> = {
  active: 'info',
  approved: 'info',
  block: 'bad',
  broken: 'bad',
  completed: 'good',
  degraded: 'bad',
  deployed: 'good',
  differs: 'bad',
  executing: 'info',
  extra: 'warn',
  failed: 'bad',
  live: 'good',
  missing: 'bad',
  overtaken: 'plain',
  pending: 'warn',
  progressing: 'info',
  proposed: 'info',
  rejected: 'bad',
  rolledBack: 'warn',
  same: 'good',
  unchecked: 'warn',
  unconfirmed: 'warn',
  warn: 'warn',
};
const NAMES: Readonly<Record<string, string>> = {
  rolledBack: 'rolled back',
  block: 'blocks',
  warn: 'warning',
};

export function Badge({ state, name }: { readonly state: string; readonly name?: string }) {
  const tone = (Object.hasOwn(TONES, state) && TONES[state]) || 'plain';
  return (
    <span class={`badge ${tone}`}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {name ?? NAMES[state] ?? state}
    </span>
  );
}
