/** Findings, blocking ones first, each with what to do; what is only good to know is folded behind them. */
import type { Finding } from '../contract.ts';
import { Badge } from './badge.tsx';
import { Prose } from './prose.tsx';

const ORDER = ['block', 'warn', 'info'] as const;

/** `areFolded`: what is only good to know, where a page has more to show than findings. */
export function Findings({
  of,
  areFolded = false,
}: {
  readonly of: readonly Finding[];
  readonly areFolded?: boolean;
}) {
  const sorted = of.toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  const notes = areFolded ? sorted.filter(({ severity }) => severity === 'info') : [];
  return (
    <>
      <FindingList of={sorted.filter((each) => !notes.includes(each))} name="Findings" />
      {notes.length > 0 && (
        <details class="more">
          <summary>
            {notes.length === 1 ? 'One note' : `${notes.length} notes`}:{' '}
            {[...new Set(notes.map(({ code }) => code))].join(', ')}
          </summary>
          <FindingList of={notes} name="Notes" />
        </details>
      )}
    </>
  );
}

function FindingList({ of, name }: { readonly of: readonly Finding[]; readonly name: string }) {
  if (of.length === 0) return null;
  return (
    <ul class="findings" aria-label={name}>
      {of.map(({ code, severity, message, hint, path, overridden }) => (
        <li class={severity} key={`${code} ${path ?? ''} ${message}`}>
          <p>
            <Badge state={severity} /> <span class="code">{code}</span>
            {overridden && <span> overridden</span>}
          </p>
          <p>
            <Prose text={message} />
          </p>
          {path !== undefined && <p class="path">{path}</p>}
          {hint !== undefined && hint !== '' && (
            <p class="hint">
              <Prose text={hint} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}
