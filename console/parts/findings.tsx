/** Findings, blocking ones first, each with what to do. */
import type { Finding } from '../contract.ts';
import { Badge } from './badge.tsx';

const ORDER = ['block', 'warn', 'info'] as const;

export function Findings({ of }: { readonly of: readonly Finding[] }) {
  if (of.length === 0) return null;
  const sorted = of.toSorted((one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity));
  return (
    <ul class="findings" aria-label="Findings">
      {sorted.map(({ code, severity, message, hint, path, overridden }) => (
        <li class={severity} key={`${code} ${path ?? ''} ${message}`}>
          <p>
            <Badge state={severity} /> <span class="code">{code}</span>
            {overridden && <span> overridden</span>}
          </p>
          <p>{message}</p>
          {path !== undefined && <p class="path">{path}</p>}
          {hint !== undefined && hint !== '' && <p class="hint">{hint}</p>}
        </li>
      ))}
    </ul>
  );
}
